"""What people say when data is lost or leaks, when they cannot get in, cannot pay, or are shut out by a disability.

English first, and the commonest German, French and Spanish phrasings. The patterns read folded text with single spaces;
whether a match is a report or only talk is for the floor to judge.
"""

from __future__ import annotations

import re
from typing import Final


def _pattern(*phrases: str) -> re.Pattern[str]:
    return re.compile(r"(?<!\w)(?:" + "|".join(phrases) + r")(?!\w)")


_CANNOT: Final = (
    r"(?:can't|cannot|can not|cant|couldn't|could not|can no longer|unable to|not able to|wasn't able to"
    r"|no longer able to|won't let me|will not let me|doesn't let me"
    r"|does not let me|wouldn't let me|don't let me|not letting me|not allowed to|impossible to|fail(?:s|ed"
    r"|ing)? to|no way to|never (?:able|manage) to|still can't)"
)
_MINE: Final = (
    r"(?:(?:\w{1,14} ){0,2}?(?:data|files?|photos?|pictures?|notes?|documents?|work|changes|progress|history"
    r"|entries|projects?|messages?|contacts?|records?|recordings?|settings|bookmarks|playlists?|recipes|posts"
    r"|notebooks?|appointments|calendar|events|levels|workouts|music|songs|videos|scores|lists?|emails|mails"
    r"|orders?|database|tables?|drafts?|uploads?|library|collection|comments?|translations?|account|saves?"
    r"|save games?|saved games?|backups?|customers|invoices|text|essay|everything))"
)
_UNREAL: Final = (
    r"(?:never|not|almost|nearly|hardly|rarely|ever|might|may|could|would|will|should|haven|hasn|don|didn)\b"
)
_GONE: Final = (
    r"(?:gone|lost|deleted|wiped|erased|missing|vanished|disappeared|destroyed|corrupted|corrupt|overwritten"
    r"|removed)"
)
_OTHERS: Final = (
    r"(?:(?:an)?other (?:users?|customers?|persons?|people|compan(?:y|ies)|clients?|members?|patients?"
    r"|accounts?|tenants?|families)(?:'s|')?|someone else's|somebody else's|everyone(?:'s| else's)|a stranger's"
    r"|strangers'|other peoples)"
)
_PRIVATE: Final = (
    r"(?:data|orders?|invoices?|accounts?|messages|addresses|address|details|e-?mails?|documents?|files|photos"
    r"|records|names?|profiles?|history|bills?|bookings?|tickets?|cards?|information|numbers?|prescriptions?"
    r"|carts?|baskets?|tokens?|sessions?|passwords?)"
)
_READER: Final = r"(?:screen ?readers?|nvda|jaws|voiceover|voice over|talkback|orca|braille display|narrator)"

ALARMS: Final[dict[str, re.Pattern[str]]] = {
    "accessibility-blocker": _pattern(
        rf"(?:use|using|with|in) {_READER} .{{0,60}}?(?:not announced|not read|is silent|unlabel\w{{2,4}}"
        r"|no label|not labell?ed|nothing is (?:read|announced))|(?:tab|keyboard)(?: key| focus)? (?:gets|is"
        r"|becomes|stays) (?:stuck|trapped)",
        r"keyboard (?:focus )?trap(?:s|ped)?|(?:trapped|stuck) (?:in|inside) (?:\w{1,14} ){0,4}?(?:with"
        r"|using) (?:the |my |a )?keyboard|focus (?:\w{1,10} )?(?:is|gets|got|becomes"
        r"|stays) (?:\w{1,10} )?(?:trapped|stuck|lost)(?: (?:in|inside|on) (?:the |a )?\w{1,14})?|(?:traps"
        r"|trapping|trapped) (?:the |my )?(?:keyboard|focus|screen ?reader)",
        rf"{_CANNOT} (?:\w{{1,16}} ){{1,9}}?(?:with|using|by|via|through) (?:the |a |my |only (?:the |a )?"
        rf"|just (?:the |a )?)?(?:keyboard|{_READER}|switch control|voice control|assistive tech\w{{0,6}}"
        r"|eye tracker)(?! shortcuts?)",
        rf"(?:with|using|by|via) (?:the |a |my |only (?:the |a )?)?(?:keyboard|{_READER}|switch control"
        rf"|voice control)(?: alone| only)?,? (?:i |you |we |one |it is |it's |users )?(?:\w{{1,8}} )?{_CANNOT}",
        rf"{_READER}(?: users?)? (?:\w{{1,10}} )?(?:{_CANNOT}|can't|cannot|doesn't|does not|don't|do not|didn't"
        r"|says? nothing|reads? nothing|says only|only says|only reads|skips?|is silent|stays silent"
        r"|announces? nothing|ignores?|just says|never (?:reads|announces)|won't)",
        rf"(?:not|isn't|aren't|never) (?:\w{{1,10}} )?(?:accessible|usable|operable|readable|reachable"
        r"|navigable|focusable|announced|read out) (?:at all )?(?:with|to|for|by|using"
        rf"|via) (?:\w{{1,10}} ){{0,2}}?(?:keyboard|{_READER}|blind|visually impaired|deaf|disabled"
        r"|low[- ]vision|wheelchair|keyboard[- ]only)|(?:unusable|inaccessible|impossible|useless) (?:with|to"
        rf"|for|by|using|via) (?:\w{{1,10}} ){{0,2}}?(?:keyboard|{_READER}|blind|visually impaired|deaf"
        r"|disabled|low[- ]vision)",
        rf"(?:blind|visually impaired|deaf|disabled|keyboard[- ]only|low[- ]vision|{_READER}) (?:users?|people"
        rf"|persons?|visitors?|customers?|colleagues?|friend|mother|father|person) (?:\w{{1,10}} )?(?:{_CANNOT}"
        rf"|are (?:locked|shut|left) out|have no way)|(?:i am|i'm) (?:\w{{1,10}} )?(?:blind|visually impaired"
        rf"|deaf|disabled|quadriplegic|partially sighted)(?: and|,) (?:\w{{1,10}} ){{0,3}}?(?:{_CANNOT}|can't"
        r"|cannot)",
        r"(?:can't|cannot|can not|unable to|impossible to|not possible to"
        r"|no way to) (?:\w{1,14} ){0,3}?(?:tab (?:to|out|past|into|away)|reach (?:\w{1,12} ){0,3}?(?:by"
        r"|with) (?:the )?(?:tab|keyboard))|(?:button|link|menu|form|field|dialog|control|slider|checkbox"
        r"|captcha)s? (?:can't|cannot|can not) be (?:reached|focused|operated|activated|opened|closed|clicked"
        r"|used) (?:with|by|using|from) (?:the |a )?(?:keyboard|tab)",
        # German, French, Spanish
        r"(?:tastatur-?falle|mit (?:der |dem )?(?:tastatur|screenreader"
        r"|bildschirmleser) (?:\w{1,14} ){0,4}?(?:nicht (?:bedienbar|erreichbar|moglich|lesbar|benutzbar"
        r"|auswahlbar|schlie\w{1,3}en)|unbedienbar|gefangen)|(?:nicht|unmoglich) (?:\w{1,12} ){0,2}?(?:mit"
        r"|per) (?:der |dem )?(?:tastatur|screenreader) (?:\w{1,12} ){0,2}?(?:bedienbar|erreichbar|bedienen"
        r"|erreichen|benutzen|nutzbar)|(?:screenreader|bildschirmleser|vorleseprogramm) (?:liest|erkennt"
        r"|sagt) (?:\w{1,12} ){0,3}?(?:nicht|nichts|kein\w{0,2})|nicht barrierefrei)",
        r"piege (?:au |a )?clavier|(?:impossible|inaccessible|inutilisable) (?:[\w']{1,14} ){0,5}?(?:au clavier"
        r"|avec (?:un |le |mon )?lecteur d'ecran|avec le clavier)|lecteur d'ecran (?:\w{1,10} )?(?:ne (?:lit"
        r"|dit|annonce) (?:\w{1,6} )?(?:rien|pas)|n'annonce)",
        r"(?:no se puede|imposible|no puedo|inaccesible) (?:\w{1,14} ){0,5}?(?:con (?:el |un |mi )?(?:teclado"
        r"|lector de pantalla))|lector de pantalla (?:\w{1,4} )?(?:no (?:lee|dice|anuncia)|ignora)"
        r"|trampa de(?:l)? teclado",
    ),
    "data-loss": _pattern(
        r"(?:i|we|he|she|they|i've|we've|users?|customers?|it|app|update|sync|site)(?: have| has| had"
        rf"| just)? (?:(?!{_UNREAL})\w{{1,12}} )?(?:lost|lose|loses|losing) (?:all |half of |most of |a lot of "
        rf"|part of |some of |(?:\w{{1,8}} ){{0,2}}(?:hours?|days?|weeks?|months?"
        rf"|years?)(?:'s?)? (?:worth )?of )?(?:of )?(?:my |our |the |their |his |her |user )?(?:{_MINE}"
        r"|everything)",
        r"(?:lost|losing) (?:all|hours of|days of|weeks of|months of|years of) (?:of )?(?:my |our |the "
        rf"|their )?{_MINE}",
        r"lost (?:my |our )?(?:progress|data|notes|photos|files|work|saves)|(?:my|your|our|the) (?:changes?"
        r"|edits?|work|progress|input) (?:is|are|was|were|gets?|got|has been|have been) (?:\w{1,10} )?lost",
        r"(?<!i )(?<!we )(?:dropped|drops|deleted|deletes|wiped|wipes|erased|erases|destroyed|destroys"
        r"|overwrote|overwrites|overwritten|corrupted|corrupts|ate|removed|removes|trashed|nuked) (?:all "
        rf"|half |most |some )?(?:of )?(?:my|our|the user's|their|his|her) {_MINE}",
        rf"(?:all|half|most) (?:of )?(?:my |our |the |their )?(?:\d[\d,.]{{0,9}} )?{_MINE} (?:is|are|was|were"
        r"|has been|have been|got|went|has|have|had)? ?(?:now |all |just |been |suddenly "
        rf"|completely ){{0,2}}{_GONE}",
        rf"(?:my|our) {_MINE} (?:is|are|was|were|has been|have been|got|has|have|had|went|just) ?(?:now |all "
        rf"|just |been |suddenly |completely |been all ){{0,2}}(?:gone|lost|deleted|wiped|erased|vanished"
        r"|disappeared|destroyed|corrupted|corrupt|overwritten)",
        rf"all (?:of )?(?:my|our) (?:\w{{1,14}} ){{1,3}}(?:(?:is|are|was|were|got|went|has been|have been|have"
        rf"|has) )?(?:now |all |just |been |suddenly ){{0,2}}{_GONE}",
        rf"(?:my|our) {_MINE} (?:vanished|disappeared)|everything (?:is|was|has been|had been|has|just"
        r"|i (?:wrote|saved|entered|had)(?: (?:is|was))?) ?(?:now |all |just |been )?(?:gone|lost|deleted"
        r"|wiped|erased|vanished|disappeared)",
        r"(?:silent |permanent |massive |total |complete |partial )?(?:data|database) (?:loss|corruption)",
        # German
        r"(?:alle |meine |unsere |samtliche ){1,3}(?:daten|dateien|notizen|fotos|bilder|dokumente|nachrichten"
        r"|eintrage|einstellungen|projekte|kontakte|bestellungen) (?:sind |wurden "
        r"|waren )?(?:\w{1,12} ){0,3}?(?:weg|verloren|geloscht|verschwunden|futsch)",
        r"(?:sind|waren|wurden|hat) (?:\w{1,12} ){0,2}?(?:alle |meine |unsere ){1,2}(?:daten|dateien|notizen"
        r"|fotos|bilder|dokumente|nachrichten|eintrage|projekte) (?:\w{1,12} ){0,2}?(?:weg|verloren|geloscht"
        r"|verschwunden)|datenverlust",
        # French
        r"(?:toutes |tous )?(?:mes|nos) (?:donnees|fichiers|photos|notes|documents|messages|projets"
        r"|contacts) (?:ont|sont|a ete) (?:\w{1,12} ){0,2}?(?:disparu(?:es)?|perdue?s|effacee?s|supprimee?s"
        r"|ete (?:effacees?|supprimees?|perdue?s|effaces|supprimes))|(?:j'ai"
        r"|nous avons) (?:\w{1,12} )?perdu (?:toutes |tous |tout )?(?:mes|nos|mon|le)? ?(?:donnees|fichiers"
        r"|photos|notes|documents|travail|projets|messages)|perte de donnees",
        # Spanish
        r"(?:he|hemos|se han|se ha) (?:\w{1,12} )?(?:perdido|borrado|eliminado) (?:todos |todas )?(?:mis"
        r"|nuestros|nuestras|los|las|todo) ?(?:datos|archivos|fotos|notas|documentos|mensajes|proyectos"
        r"|contactos)?|(?:todos |todas )?(?:mis|nuestros) (?:datos|archivos|notas|documentos"
        r"|mensajes) (?:han desaparecido|desaparecieron|se (?:perdieron|borraron|han perdido|han borrado))"
        r"|(?:mis|todas mis) (?:fotos|notas) (?:han desaparecido|desaparecieron|se (?:perdieron|borraron))"
        r"|perdida de datos|perdi (?:todos |todas )?mis (?:datos|archivos|fotos|notas|documentos)",
    ),
    "security-leak": _pattern(
        r"(?:can|could|able to|i|we|users?|anyone|everyone) (?:now |also |then |suddenly |still )?(?:see|saw"
        r"|view|access|read|open|opened|download|edit|delete|get|got"
        rf"|seeing) (?:\w{{1,10}} ){{0,2}}?{_OTHERS} (?:\w{{1,12}} )?{_PRIVATE}",
        r"(?:shows?|showed|showing|displays?|displayed|sends?|sent|sees?|received|got|getting|returns?"
        rf"|returned|returning|contains?|contained) (?:me |us )?(?:[\w-]{{1,10}} ){{0,4}}?(?:{_OTHERS} "
        rf"(?:\w{{1,12}} )?{_PRIVATE}|{_PRIVATE} (?:of|from|for|belonging to) {_OTHERS}(?! (?:i|in the"
        r"|on the)))",
        r"(?:logged|signed|log|logs|signs|logging) (?:me )?(?:in|into) (?:as|to) (?:(?:an)?other (?:user|person"
        r"|customer)|someone else|somebody else|a (?:different|stranger's) (?:user|person|account)"
        r"|someone else's account|another account|somebody else's account)",
        r"(?:my|our) (?:account|page|profile|shop|site|password) (?:has been|was|got|is|have been) (?:hacked"
        r"|compromised|taken over|stolen|hijacked|breached)|someone (?:else )?(?:hacked|logged into|got into"
        r"|accessed|took over|is using) my account|i (?:have been|was|got) hacked",
        r"(?:anyone|anybody|everyone|everybody|strangers|any user) (?:\w{1,14} ){0,3}?(?:can|could"
        r"|is able to) (?:\w{1,12} )?(?:see|access|download|read|edit|delete|view|change|open) (?:my|our|the"
        r"|all|any|customer|user|other|private|someone)",
        r"(?:passwords?|api[- ]?keys?|(?:access |reset |session )?tokens?|credentials|secrets|card numbers?"
        r"|personal data|customer data|user data|e-?mail addresses|private (?:messages|photos|files"
        r"|data)) (?:is|are|was|were|gets?|being) (?:\w{1,12} ){0,2}?(?:stored in (?:plain|clear)"
        r"|sent in (?:plain|clear)|in (?:plain ?text|clear ?text)|visible (?:to|in|for)|shown (?:to|in)|exposed"
        r"|leaked|logged in|public|readable by|accessible to|accessible without)",
        r"(?:backups?|database|data|files?|documents?|invoices?|bucket|photos|messages"
        r"|dump)(?: \w{1,12}){0,3} (?:is|are|was|were) (?:publicly|openly|freely|world)[ -](?:accessible"
        r"|available|readable|downloadable|exposed|visible|listed)|(?:customer|user|personal|patient"
        r"|private) data (?:exposed|leaked)",
        r"(?:leaks?|leaked|leaking|exposes?|exposed|exposing|discloses) (?:\w{1,12} ){0,3}?(?:credentials"
        r"|passwords?|api[- ]?keys?|tokens?|personal (?:data|information)|(?:customer|user|patient"
        r"|client) (?:data|records|details)|e-?mail addresses|private (?:data|messages|keys?)|secrets"
        r"|card (?:data|numbers))",
        r"(?:found|discovered|there is|there's|has|have|reporting|report|vulnerable to|allows?|exploitable"
        r"|stored|reflected|critical|possible|serious) (?:\w{1,12} ){0,4}?(?:xss|cross[- ]site scripting"
        r"|sql[- ]?injection|csrf|ssrf|rce|remote code execution|idor|auth(?:entication)? bypass"
        r"|privilege escalation|account takeover|path traversal|security (?:hole|flaw|vulnerability"
        r"|vulnerabilities|breach|leak)|vulnerability|vulnerabilities)",
        r"(?:xss|sql[- ]?injection|csrf|idor|cross[- ]site scripting) (?:vulnerability )?(?:in|on|via"
        r"|through) (?:your|the) \w{1,14}|(?:data|security|privacy) (?:breach|leak)|cve-\d{4}-\d{4,7}",
        r"without (?:logging in|being logged in|authentication|a password|any password"
        r"|login) (?:\w{1,12} ){0,3}?(?:can|could|see|access|open|download|delete)|(?:open|access|see|download"
        r"|read|reach|view) (?:\w{1,12} ){0,5}?without (?:logging in|being logged in|authentication"
        r"|any password|any login)",
        # German, French, Spanish
        r"sicherheitslucken?|datenleck|datenpanne|(?:sehe|sehen|sieht|zeigt mir|zeigt) (?:ich |man "
        r"|mir )?(?:die |alle )?(?:daten|bestellungen|rechnungen|adressen|nachrichten|konten) (?:von |eines "
        r"|einer )?(?:andere[nrm]?|fremde[nrm]?)|(?:sehe|sehen|zeigt) (?:ich |man |mir )?(?:fremde|die fremden"
        r"|andere) (?:daten|bestellungen|rechnungen|adressen|nachrichten|konten|kundendaten)|(?:mein )?(?:konto"
        r"|account) (?:wurde|ist) (?:\w{1,12} )?gehackt(?: worden)?",
        r"failles? de securite|fuite de donnees|(?:vois|voir|voyons|affiche|acceder aux?) (?:les )?(?:donnees"
        r"|commandes|factures|adresses|messages|comptes) (?:d'autres|des autres|d'un autre|de quelqu'un)"
        r"|(?:mon )?compte (?:a ete|s'est fait|est) pirate",
        r"fallos? de seguridad|brecha de (?:seguridad|datos)|fuga de datos|(?:veo|ver|vemos|muestra"
        r"|acceder a) (?:los |las )?(?:datos|pedidos|facturas|mensajes|cuentas|direcciones) de (?:otros?|otras?"
        r"|otra)|(?:hackearon|han hackeado|me han robado) (?:mi|la) cuenta|mi cuenta (?:ha sido|fue) hackeada",
    ),
    "cannot-sign-in": _pattern(
        rf"{_CANNOT} (?:even |longer |ever |i |we |you |people "
        rf"|anyone ){{0,2}}(?:(?:re)?log(?:ging)?[- ]?(?:back )?(?:in|on|into)|login"
        r"|sign(?:ing)?[- ]?(?:back )?(?:in|on|into)|signin|access (?:my|the|our|any) accounts?"
        r"|get (?:back )?in(?:to)? (?:my|our|the) accounts?|get (?:back )?in(?! (?:touch|line|contact|the|a|an"
        r"|my|our)(?!\w))|authenticate|reset (?:my|the) password|open my account)",
        r"(?:login|log ?in|log-in|sign-?in|sign in|logging in|signing in|authentication|sso|single sign-on"
        r"|two-factor|2fa)(?: page| form| button| screen| code| flow| with \w{1,12}| via \w{1,12}"
        r"| for \w{1,12})? (?:is|are|was|has been|has|does|doesn't|does not|isn't|not|never|won't|keeps?|always"
        r"|just|only|simply|completely|still|no longer|currently|totally) ?(?:not |always |just |been |simply "
        r"|completely |currently |totally |all |still ){0,2}(?:work|works|working|broken|fail|fails|failing"
        r"|possible|impossible|down|loading|load|responding|respond|accept|accepting|crash|crashes|crashing"
        r"|dead|looping|loops|rejects?|rejecting|stuck|blank|accepted|spins?|spinning|hangs?|hanging|freezes?"
        r"|times out)",
        r"(?:login|log ?in|log-in|sign-?in|authentication|sso|2fa)(?: page| form| button| screen"
        r"| flow)? (?:fails|failed|failing|broken|crashes|crashed|loops?|hangs|times out"
        r"|gives (?:me )?(?:an? )?(?:error|500|403|401)|returns (?:an? )?(?:error|500|403|401)"
        r"|shows (?:an? )?(?:error|500|403|blank)|throws)",
        r"(?:locked|shut|kicked) (?:me )?out of (?:my|our|the|his|her) accounts?|(?:i am|i'm|we are|we're|am"
        r"|been|got|was) (?:\w{1,10} )?locked out|(?:keeps?|kept) (?:logging|signing|kicking"
        r"|throwing) me out (?:immediately|right after|as soon as|every time i log)",
        r"(?:password reset|reset (?:mail|e-?mail|link|password)|verification (?:code|mail|e-?mail|link)"
        r"|confirmation (?:code|mail|e-?mail)|sms code|login code|2fa code)(?: mail| e-?mail| link"
        r"| code)? (?:never|does not|doesn't|did not|didn't|is not|isn't|won't|not) (?:\w{1,12} )?(?:arrives?"
        r"|arrived|come|comes|came|works?|working|received|sent|delivered|accepted|reach\w{0,2})",
        r"errors?(?: message)?s? (?:\w{1,10} ){0,3}?(?:every ?time|when|whenever|while|each time|trying|on"
        r"|during|at) (?:\w{1,10} ){0,4}?(?:log(?:ging)?[- ]?in|sign(?:ing)?[- ]?in|login)",
        r"never (?:get|got|receive|received) (?:the |my |any |a |an )?(?:verification|confirmation|login|sms"
        r"|2fa|reset|password reset|activation) (?:code|mail|e-?mail|link|sms|text)|(?:login|log-?in|log in"
        r"|sign-?in|sign in) button (?:\w{1,10} ){0,2}?(?:does nothing|doesn't|does not|is dead|is disabled"
        r"|is broken|has no effect|not (?:work|react|respond)\w{0,3})",
        r"(?:infinite|endless|redirect) (?:login|log-in|sign-in|redirect) loop|(?:login|sign-in"
        r"|log-in) (?:redirect )?loop|(?:rejects|refuses|does not accept|doesn't accept|won't accept"
        r"|not accept(?:ing)?|says wrong|invalid) (?:my |the )?(?:correct |right |valid |new )?(?:password"
        r"|credentials|login|log-in)|(?:my |the )?(?:correct |right )?password (?:is|are) (?:not "
        r"|never )(?:accepted|recogni[sz]ed)",
        # German
        r"(?:kann|konnen|konnte|kann man) (?:\w{1,12} ){0,4}?nicht (?:mehr )?(?:\w{1,12} ){0,2}?(?:anmelden"
        r"|einloggen|auf mein konto zugreifen|einwahlen)|(?:anmeldung|login|anmelden"
        r"|einloggen) (?:\w{1,12} ){0,2}?(?:funktioniert nicht|geht nicht|nicht moglich|klappt nicht"
        r"|schlagt fehl|fehlgeschlagen|unmoglich)|(?:komme|kommen) (?:\w{1,12} )?nicht (?:mehr )?(?:in mein "
        r"konto|rein|ins konto|in meinen account)|(?:bin|wurde) (?:\w{1,12} )?ausgesperrt",
        # French
        r"(?:impossible de (?:me |se )?connecter|(?:n'arrive|arrive|peux|peut|parviens|arrivons|pouvons) (?:pas"
        r"|plus) (?:\w{1,6} ){0,2}?(?:me |a me |se |nous )connecter|(?:connexion"
        r"|authentification) (?:\w{1,12} )?(?:impossible|ne (?:fonctionne|marche) (?:pas|plus))|(?:acceder"
        r"|accede) (?:pas |plus )?a mon compte(?: impossible)?|bloque hors de mon compte)",
        # Spanish
        r"(?:no (?:puedo|podemos|consigo|logro|me deja|deja|es posible|hay manera de"
        r"|se puede) (?:\w{1,8} )?(?:iniciar sesion|entrar en mi cuenta|entrar a mi cuenta|acceder a mi cuenta"
        r"|loguearme|conectarme|ingresar|acceder)|imposible (?:iniciar sesion|acceder a mi cuenta|entrar)"
        r"|(?:el inicio de sesion|el login) (?:no funciona|falla))",
    ),
    "cannot-pay": _pattern(
        r"(?:charged|billed|debited|charges?|charging|bills?|billing|paid|deducted"
        r"|invoiced) (?:\w{1,12} ){0,4}?(?:twice|two times|three times|double|thrice|multiple times"
        r"|several times|2x|2 times|3 times)(?! (?:as|the price|a (?:week|month|year)|per|more))|(?:double"
        r"|duplicate)[- ](?:charged|charges?|billed|billing|payment|debit)",
        r"(?:charged|billed|charging|debited) (?:me |us |my card |my account )?(?:for|after|although"
        r"|even though|despite) (?:\w{1,14} ){0,6}?(?:cancelled|canceled|never|didn't|did not|free trial"
        r"|not order|nothing|no order|cancel)|(?:money|amount|payment|card) (?:was|has been|is|got"
        r"|were) (?:taken|charged|debited|deducted|withdrawn|gone)(?: from my \w{1,10})? (?:but|and|yet|without"
        r"|,) ?(?:\w{1,10} ){0,4}?(?:no|not|never|nothing|without|order|ticket)|(?:took|takes|taken"
        r"|stole) (?:my |the |our )money",
        rf"{_CANNOT} (?:\w{{1,10}} )?(?:pay(?! (?:attention|more|that much|so much|as much))|check ?out|buy"
        r"|purchase|place (?:an?|my|the|any|our) orders?|complete (?:my|the|our|a"
        rf"|any) (?:\w{{1,10}} )?(?:purchase|order|payment|checkout|booking|transaction)|finish (?:my|the"
        r"|our) (?:purchase|order|payment|checkout)|order (?:anything|something)|enter my card|submit (?:my"
        r"|the) (?:order|payment)|renew my subscription)",
        r"(?:payments?|check-?out|paying|the checkout page|card payments?|paypal|apple pay|google pay"
        r"|order form|purchase)(?: page| button| form| step| process| with \w{1,12}| by \w{1,12})? (?:is|are"
        r"|was|has been|has|does|doesn't|does not|isn't|not|never|won't|keeps?|always|just|only|simply"
        r"|completely|still|no longer|currently|totally) ?(?:not |always |just |been |simply |completely "
        r"|currently |totally |all |still |getting ){0,2}(?:work|works|working|broken|fail|fails|failing"
        r"|possible|impossible|go through|going through|accepted|declined|rejected|crash|crashes|crashing|down"
        r"|loading|load|stuck|processed|complete|respond|responding)(?! (?:great|well|fine|smoothly))",
        r"(?:two|2|three|3|several|multiple|duplicate|double) (?:identical )?(?:charges|debits|payments"
        r"|withdrawals) (?:\w{1,12} ){0,4}?(?:for|on|from|of)|payments? (?:was |is |got |always "
        r"|keeps getting ){0,2}(?:declined|rejected|refused)|(?:i|we)(?:'ve"
        r"| have)? (?:already )?paid (?:\w{1,12} ){0,4}?(?:but|and|yet) (?:\w{1,12} ){0,4}?(?:never|no|not"
        r"|nothing|didn't|hasn't|wasn't) (?:\w{1,10} )?(?:created|arrived|received|receive|got|came|delivered"
        r"|activated|confirmed|confirmation|ticket|order|access|booked|shipped|there)",
        r"(?:pay|buy|checkout|order|purchase|place order|pay now"
        r"|buy now) button (?:\w{1,10} ){0,2}?(?:does nothing|doesn't|does not|is dead|is disabled|is broken"
        r"|has no effect|not (?:work|react|respond)\w{0,3})",
        r"(?:payments?|check-?out|the order|my order|transaction|my card)(?: page| button| form| step"
        r"| process)? (?:fails|failed|failing|crashes|crashed|hangs|freezes|freeze|times out|gets stuck"
        r"|gives (?:me )?(?:an? )?(?:error|500)|returns (?:an? )?(?:error|500)|shows (?:an? )?(?:error|500"
        r"|blank)|throws|spins forever|declined every time|rejected every time|gets (?:declined|rejected))",
        # German
        r"(?:doppelt|zweimal|mehrfach|dreimal) (?:\w{1,12} ){0,2}?(?:abgebucht|belastet|berechnet|bezahlt"
        r"|abgerechnet)|(?:kann|konnen|konnte|lasst sich|kann man) (?:\w{1,12} ){0,4}?nicht (?:mehr "
        r")?(?:\w{1,12} ){0,2}?(?:bezahlen|zahlen|bestellen|kaufen|abschlie\w{1,3}en)|(?:zahlung|bezahlung"
        r"|bezahlen|kasse|checkout|bestellung) (?:\w{1,12} ){0,2}?(?:funktioniert nicht|geht nicht"
        r"|nicht moglich|schlagt (?:immer )?fehl|fehlgeschlagen|klappt nicht|bricht ab)|abgebucht(?:,)? obwohl",
        # French
        r"(?:debite|facture|preleve|paye|debitee|facturee|prelevee)s? (?:\w{1,8} )?(?:deux fois|2 fois"
        r"|trois fois|en double)|impossible de (?:payer|passer (?:ma |la |une )?commande|finaliser|commander"
        r"|regler|valider (?:ma|mon|le|la) (?:commande|panier|paiement))|(?:peux|peut|arrive|parviens) (?:pas"
        r"|plus) (?:\w{1,4} )?(?:a )?(?:payer|commander|regler|finaliser)|paiement (?:\w{1,12} )?(?:refuse"
        r"|echoue|impossible|ne (?:passe|fonctionne|marche) (?:pas|plus))",
        # Spanish
        r"(?:cobrado|cobraron|cobrar|cargado|cargaron|cobro|facturado) (?:\w{1,10} ){0,3}?(?:dos veces|doble"
        r"|2 veces|tres veces|por duplicado)|doble cobro|no (?:puedo|podemos|consigo|me deja|deja|es posible"
        r"|se puede) (?:\w{1,8} )?(?:pagar|comprar|finalizar (?:la|mi) (?:compra|pedido)|hacer (?:el|un"
        r"|mi) pedido|completar (?:el|la|mi) (?:pago|compra|pedido))|el pago (?:\w{1,10} )?(?:falla|no funciona"
        r"|no se procesa|es rechazado|no pasa)",
    ),
}
