"""Text that talks to the analyzer instead of to us: what gives it away, in English, German, French and Spanish.

A finding, never a wall: the agent has no tools and closed answers. It keeps people from accepting such an item unread.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import re
import urllib.parse
from collections.abc import Iterator
from typing import Final

from feedback.governance.normalization import flatten, fold, normalize, phrases

_W: Final = r"[\w'/-]{1,20}"
_GAP: Final = rf"(?:{_W} ){{0,3}}?"
# An order begins a sentence or follows one of these words; "the API should return" and "1. Set" do not.
_ORDER: Final = (
    r"(?:(?<=\D[.!?;:])\s{0,2}|(?<=\n)[-*> ]{0,3}|(?<![\s\S])|(?:please|you must|you should|you will"
    r"|must always|always|instead|now)[ ,]{1,3})"
)
_LABEL: Final = (
    r"['\"<\[]{0,2}(?:website[- ]?bug|framework[- ]?issue|content[- ]?gap|feature[- ]?request|positive|noise"
    r"|critical"
    r"|(?:very )?high(?:est)?(?![- ](?:contrast|res))|medium|low(?:est)?|urgent|max(?:imum)?|min(?:imum)?|top"
    r"|p[0-4]|\d{1,3})\b"
)
_FIELD: Final = r"(?:severity|priority|category|classification|confidence|urgency)"
_NO_CROWD: Final = r"(?<!users )(?<!people )(?<!they )(?<!visitors )(?<!customers )(?<!we )(?<!bots )"

_OVERRIDE: Final = phrases(
    _NO_CROWD + r"(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|discard|neglect|pay no attention to"
    r"|(?:do not|don't|never|stop|quit) (?:follow|obey|heed|listen)(?:ing)?(?: to)?) "
    + _GAP
    + r"(?:previous(?:ly)?|prior|above|earlier|preceding|foregoing|former|initial|original|system|safety"
    r"|developer|hidden|your) "
    + _GAP
    + r"(?:instruct\w{0,5}|prompts?|directions|directives?|guidelines?|guardrails?|commands|rules|programming"
    r"|training"
    r"|constraints|restrictions|context)\b",
    _NO_CROWD + rf"(?:ignore|disregard|forget) {_GAP}(?:all|any|every)(?: of)? {_GAP}"
    r"(?:instructions?|directives?|guidelines|prompts|guardrails)\b",
    _NO_CROWD + rf"(?:ignore|disregard|forget) {_GAP}(?:instructions?|prompts?|rules|directives?|text|content) "
    r"(?:above|before|preceding|you (?:were|have|are|got|received)|that (?:you|came|were|was|precede)"
    r"|given (?:to you|above|before))",
    r"(?:ignore|disregard|forget) (?:everything|anything|all|what|whatever|all that) (?:that )?(?:you(?:'ve"
    r"|'re)?|they|we|i)"
    r"(?: have| had| were| are)?(?: been)? (?:know|knew|told|learn\w{0,3}|instructed|given|taught|programmed"
    r"|trained)",
    r"(?:ignore|disregard|forget|discard)(?: everything| anything| all| whatever| the text| all text| the rest"
    r"| the)?"
    r"(?: \w{1,12}){0,2} (?:above|before|so far|below|prior)\b.{0,25}?\b(?:and|instead|then|now|just)\b.{0,15}?"
    r"\b(?:classify|respond|output|say|write|print|answer|return|set|mark|rate|follow|act|reply|treat|repeat"
    r"|give me|tell me)\b",
    rf"(?:ignore|disregard|forget|abandon|stop) (?:about )?(?:the|your|this|all|any) {_GAP}(?:task|analysis"
    r"|classification|triage|summari[sz]ation)\b"
    r".{0,20}?\b(?:instead|and|now)\b.{0,10}?\b(?:output|respond|say|write|print|answer|return|reply|give|tell"
    r"|list)\b",
    rf"(?:overlook|forget about) {_GAP}(?:instructions|rules|prompts?|guidelines|that you(?:'ve| have"
    r"| were)? (?:been )?(?:told|instructed|given))\b",
    r"(?:supersed|overrid|replac|cancel)(?:es?|ing) (?:all|any|every|your) (?:\w{1,12} )?(?:instructions"
    r"|directives|prompts|guidelines)\b",
    r"(?:system|admin|safety|priority|instruction) override\b.{0,40}?\b(?:disregard|ignore|output|respond|you"
    r"|active|confirm|all)\b",
    rf"(?:overrid(?:e|ing)|bypass(?:ing)?|overrul(?:e|ing)|circumvent(?:ing)?|disable) {_GAP}"
    r"(?:system prompts?|(?:your|all|previous|prior) (?:\w{1,12} ){0,2}(?:instructions|guidelines|guardrails"
    r"|programming)"
    r"|safety (?:guidelines|rules|filters|protocols|instructions)|content filters?)",
    r"(?:your|the) (?:previous|prior|original|initial|above|earlier) (?:instructions|prompt|directives?|rules) "
    r"(?:are|is|were|have been|was|no longer) (?:now |hereby )?"
    r"(?:void|cancelled|canceled|obsolete|invalid|revoked|over|suspended|outdated|appl\w{1,4}|replaced"
    r"|superseded|deprecated|wrong)",
    r"new (?:system )?(?:instructions?|directives?|orders|system prompt)(?: for (?:you|the (?:ai|model"
    r"|assistant)))?\s?:",
    r"your (?:new|real|true|actual|only|updated) (?:instructions?|objective|directives?|mission|purpose) (?:is"
    r"|are)\b",
    r"your (?:new|real|true|actual) (?:task|job|role|goal) (?:is|will be)(?: now)? to\b",
    # German
    r"(?:ignorier\w{0,3}|vergiss|vergesst|vergessen sie|missachte\w{0,2}|uberschreib\w{0,3}|ubergeh\w{0,3}"
    r"|verwirf) " + _GAP + r"(?:vorherig\w{0,2}|bisherig\w{0,2}|obig\w{0,2}|vorangegangen\w{0,2}|vorigen?|fruher\w{0,2}"
    r"|ursprunglich\w{0,2}|vorstehend\w{0,2}"
    r"|deine[rn]?|ihre|alle[sn]?|samtliche) "
    + _GAP
    + r"(?:anweisung|instruktion|vorgabe|regel|befehl|prompt|richtlinie|systemprompt|anleitung)\w{0,3}\b",
    r"(?:befolge|beachte) (?:die |deine |alle )?(?:\w{1,15} )?(?:anweisungen|regeln|vorgaben) (?:nicht"
    r"|nicht mehr)\b",
    # French
    r"(?:ignor(?:e|ez|er)|oubli(?:e|ez|er)|(?:ne )?(?:tiens|tenez) pas compte de|fais abstraction de"
    r"|faites abstraction de"
    r"|ne (?:suis|suivez|respecte|respectez) (?:pas|plus)|contourn(?:e|ez|er)) "
    r"(?:toutes |tous |les |des |tes |vos |ces |l'|d'){0,3}(?:instruction|consigne|directive|regle|ordre|prompt"
    r"|commande)s? "
    r"(?:\w{1,12} ){0,2}?(?:precedent|anterieur|ci-dessus|initial|recu|donne|systeme|que (?:tu|vous))\w{0,3}",
    r"(?:ignor(?:e|ez)|oubli(?:e|ez)) (?:toutes |tous )?(?:tes|vos) (?:instruction|consigne|directive|regle"
    r"|ordre)s?\b",
    # Spanish
    r"(?:ignor(?:a|e|en|ar|ad)|olvid(?:a|e|en|ar|ad)|descart(?:a|e|en)|haz caso omiso(?: a| de)?|no (?:sigas"
    r"|siga|hagas caso(?: a| de)?|obedezcas)) "
    r"(?:todas |todos |las |los |tus |sus |estas |cualquier ){0,3}(?:instruccion(?:es)?|indicacion(?:es)?"
    r"|ordenes|reglas?|directrices|normas|prompts?) "
    r"(?:\w{1,12} ){0,2}?(?:anterior|previ[ao]|de arriba|recibid|original|inicial|del sistema|que (?:te|se"
    r"|has))\w{0,3}",
    r"(?:ignor(?:a|e)|olvid(?:a|e)) (?:todas |todos )?(?:tus|sus) (?:instrucciones|ordenes|reglas"
    r"|indicaciones)\b",
)

_TEMPLATE: Final = re.compile(
    r"<\|\s?(?:im_start|im_end|im_sep|system|user|assistant|endoftext|end|eot_id|start_header_id|end_header_id"
    r"|begin_of_text|channel"
    r"|message|start|end_of_turn|startoftext)\s?\|>"
    r"|\[/?inst\]|<</?sys>>|</?(?:start|end)_of_turn>|<\uff5c(?:user|assistant)\uff5c>"
    r"|</?(?:system[-_ ]?(?:prompt|message|instructions?)|assistant|user[-_ ]?(?:input|message|comment"
    r"|feedback)|im_start|untrusted\w{0,12}"
    r"|feedback|comment_json|developer_message|admin_override)>"
    r"|(?:begin|start|end) (?:of )?(?:the )?(?:system prompt|system message|user (?:input|feedback|message"
    r"|comment)|untrusted \w{4,8}|feedback data)\b"
    r"|\[\s?(?:end of (?:user )?(?:input|feedback|comment|message)|system (?:override|prompt|instruction)s?"
    r"|admin override)\s?\]"
    r"|#{1,4}\s?(?:instructions?|response|system prompt|system message|new instructions|assistant)\s?:"
)
_SPEAKER: Final = re.compile(
    r"(?:^|\n|[.!?]\s)\W{0,4}(?:system|assistant|developer|admin|root|systeme?|sistema|asistente)"
    r"(?: (?:prompt|message|override|note|instructions?|update|notice|command|mode))?\W{0,3}:\s{0,3}\W{0,2}"
    r"(?:you |ignor|disregard|forget|vergiss|oubli|olvida|respond|reply |output|classify|categori|from now"
    r"|override|new (?:instruc|rule|task|polic)"
    r"|always |never |do not |treat |rate |mark |answer |reveal|this (?:feedback|comment|message|ticket|user"
    r"|item) |the (?:next|following|previous) "
    r"|du bist|tu es|eres|set (?:the )?(?:severity|priority|category)|severity|priority|category|sure[,!]"
    r"|understood|okay, |of course|enter )"
    r"|(?:^|\n)\s{0,4}(?:user|human)\s?:[^\n]{0,300}\n\s{0,4}(?:assistant|ai|bot)\s?:"
    r"|(?:^|\n)\s{0,4}(?:assistant|ai)\s?:[^\n]{0,300}\n\s{0,4}(?:user|human)\s?:"
    r"|[\"']role[\"']\s?:\s?[\"'](?:system|assistant|developer)[\"']"
)
_BEING: Final = (
    r"(?:assistant|ai|a\.i\.|bot|chatbot|model|llm|gpt\w{0,3}|chatgpt|dan|agent|classifier|hacker|pirate"
    r"|admin\w{0,10}|root|expert"
    r"|system|machine|oracle|interpreter|terminal|evaluator|judge|triager|reviewer|unrestricted|unfiltered"
    r"|jailbroken|evil|uncensored)"
)
_PERSONA: Final = phrases(
    r"you are (?:now|no longer|instead) (?:bound by|an?|the|my|in|going to (?:act|be)|free (?:from|of)"
    rf"|operating|acting) ?(?:{_W} ){{0,4}}?{_BEING}\b",
    r"you are (?:now|no longer) (?:in (?:developer|debug|admin|god|maintenance|test|jailbreak"
    r"|unrestricted) mode|bound by|restricted|free (?:from|of|to)|dan\b)",
    r"(?<!i )(?<!we )(?:act|behave|respond|reply|answer|roleplay|role-play) (?:as|like)(?: if you (?:were"
    rf"|are))? (?:an?|the|my) (?:{_W} ){{0,3}}?{_BEING}\b",
    rf"pretend (?:to be|that you(?:'re| are)|you(?:'re| are)) (?:{_W} ){{0,4}}?{_BEING}\b",
    r"pretend (?:that )?you (?:have no|don't have|are not|can)\b",
    r"from now on,? you (?:are|will|must|should|shall|have to) (?:only |always |never |now )?(?:an?|respond"
    r"|answer|act|classify|output|reply|obey|behave|ignore|call|rate|label|treat|follow|speak|dan)\b",
    r"do anything now\b|jailbreak (?:mode|prompt)|(?:enable|enter|activate|switch to) (?:god|dan|jailbreak"
    r"|unrestricted|unfiltered|sudo) mode",
    r"(?:enter|activate|you are in|switch (?:in)?to) (?:developer|debug|admin|maintenance) mode (?:and|where"
    r"|without|in which) .{0,30}?(?:restrict|filter|rule|instruct|limit|output|classify|mark)",
    r"as your (?:developer|creator|administrator|operator|owner|programmer)\b.{0,60}?\b(?:you|i (?:order"
    r"|command|instruct|authori))\b",
    r"(?:du bist|sie sind) (?:jetzt|nun|ab jetzt|ab sofort|nicht mehr|kein) (?:an )?(?:eine?|der|die|das|mein"
    r"|kein)\w{0,2} (?:\w{1,20} ){0,3}?(?:assistent|ki|bot|modell|agent|klassifi|experte|hacker|pirat"
    r"|administrator|system)\w{0,5}",
    r"(?:ab jetzt|ab sofort|von nun an) (?:bist du|antwortest du|wirst du|sollst du|musst du)\b",
    r"(?:verhalte dich|tu so|antworte|agiere) (?:wie|als)(?: ob du| wenn du)? (?:eine?|der"
    r"|die)\w{0,2} (?:\w{1,20} ){0,2}?(?:assistent|ki|bot|modell|agent|hacker|pirat|administrator"
    r"|unbeschrankt)\w{0,5}",
    r"(?:tu es|vous etes) (?:maintenant|desormais|a present|dorenavant) (?:une?|le|la|mon"
    r"|notre) (?:\w{1,20} ){0,3}?(?:assistant|ia|bot|modele|agent|classifi|expert|pirate|hacker|administrateur"
    r"|systeme)\w{0,5}",
    r"(?:a partir de maintenant|desormais|dorenavant),? (?:tu|vous) (?:es|etes|dois|devez|vas|allez|reponds"
    r"|repondez|ne)\b",
    r"(?:ahora eres|eres ahora|usted es ahora) (?:un|una|el|la|mi) (?:\w{1,20} ){0,3}?(?:asistente|ia|bot"
    r"|modelo|agente|clasific|experto|pirata|hacker|administrador|sistema)\w{0,5}",
    r"(?:a partir de ahora|de ahora en adelante),? (?:eres|debes|responderas|vas a|tienes que|responde|actua"
    r"|solo)\b",
)
_EXTRACT: Final = phrases(
    r"(?:reveal|print|show|repeat|output|display|tell|leak|dump|give|write|copy|type|quote|translate"
    rf"|summari[sz]e|share|expose|what (?:is|are|was|were)) (?:{_W} ){{0,5}}?"
    r"(?:your|its|the ai's|the (?:full|entire|hidden|exact|secret|complete|bot's|model's)) (?:\w{1,12} ){0,2}?"
    r"(?:prompts?|system (?:prompt|message|instructions?)|instructions|hidden (?:rules|instructions)"
    r"|few-shot examples)\b(?! (?:for|on|to|about|page|manual|how))",
    rf"(?:reveal|print|repeat|output|leak|dump|show me|tell me|give me) {_GAP}system prompt\b",
    r"(?:repeat|print|output|copy|quote) (?:\w{1,12} ){0,2}?(?:everything|all|the (?:words|text|lines?|content"
    r"|sentences?)) (?:\w{1,12} )?(?:above|before this|prior)\b",
    rf"(?:zeige?|verrate|nenne|gib|wiederhole|drucke) {_GAP}(?:dein\w{{0,2}}|den"
    rf"|ihre?n?) (?:\w{{1,15}} ){{0,2}}?(?:system-?prompt|systemanweisung\w{{0,2}}|anweisungen|prompt)\b",
    r"(?:affiche|montre|revele|donne|repete|ecris)(?:r|z)?(?:-moi)? (?:\w{1,12} ){0,2}?(?:(?:ton|votre"
    r"|le) (?:prompt|message) (?:systeme|initial|complet)|(?:tes|vos) (?:instructions|consignes))\b",
    r"(?:muestra(?:me)?|muestre|revela|dime|repite|imprime|ensena(?:me)?) (?:\w{1,12} ){0,2}?(?:(?:tu|su"
    r"|el) (?:prompt|mensaje)(?: (?:del|de) sistema| inicial| completo)?|(?:tus|sus) instrucciones)\b",
)
_MODEL: Final = (
    r"(?:ai|a\.i\.|llms?|(?:large )?language model|chatgpt|gpt|claude|gemini|copilot|ai (?:assistant|model"
    r"|agent|system|reviewer|triager)|classifier|triage (?:bot|agent|system|model|assistant)|analy[sz]er"
    r"|analysis (?:agent|model))"
)
_ADDRESS: Final = phrases(
    r"(?:note|message|instructions?|attention|hint|reminder|memo|request|command|important) ?(?:to|for"
    rf"|:)? ?(?:the |any |all |our |whichever |every )?{_MODEL}(?:s)?\b(?: (?:reading|processing|that|who"
    r"|handling|analy)|\s?[:,!-])",
    rf"(?:dear|hey|hello|hi|attention|ok|listen,?) (?:the |my )?{_MODEL}\s?[,:!] ?",
    rf"if you(?:'re| are) (?:an? |the )?(?:{_W} )?{_MODEL}\b",
    rf"(?:to|for) (?:the |any )?{_MODEL} (?:reading|processing|analy[sz]ing|triaging|reviewing|classifying"
    r"|handling) this\b",
    r"as an? (?:ai(?: language)?(?: model| assistant)?|language model|llm|classifier),? you (?:must|should|will"
    r"|are|have|need)\b",
    r"(?:hinweis|nachricht|anweisung|achtung) (?:an |fur )?(?:die |das |den )?(?:ki|sprachmodell|llm"
    r"|klassifikator)\b",
    r"(?:note|message|instructions?|attention) (?:a |pour |a l')?(?:l')?(?:ia|intelligence artificielle"
    r"|modele de langage)\b",
    r"(?:nota|mensaje|instruccion(?:es)?|atencion) (?:a |para )(?:la )?(?:ia|inteligencia artificial"
    r"|modelo de lenguaje)\b",
)
_STEER: Final = phrases(
    r"(?:classif(?:y|ied)|categori[sz]ed?|label(?:l?ed)?|tag(?:ged)?|triaged?|mark(?:ed)?|rated?|rank(?:ed)?"
    r"|treat(?:ed)?|scored?|file|register) "
    r"(?:this|it|these|my|the (?:following|present|above|feedback|comment|ticket|report|message|issue"
    rf"|text))(?: {_W}){{0,3}}? (?:as|with|at|under|into) (?:{_W} ){{0,3}}?{_LABEL}",
    rf"{_ORDER}(?:set|assign|change|raise|lower|increase|decrease|bump|put|use|choose|pick|select|force"
    rf"|make) (?:{_W} ){{0,4}}?{_FIELD} (?:{_W} ){{0,2}}?(?:to|as|=|:|of|at|is)? ?(?:{_W} ){{0,2}}?{_LABEL}",
    rf"(?:give|assign|grant) (?:this|it|my)(?: {_W}){{0,2}}? (?:the |a |an )?(?:{_W} )?{_LABEL} (?:severity"
    r"|priority|category|confidence)",
    rf"(?:classif(?:y|ication)|{_FIELD}) (?:must|should|shall|has to|needs to|is to"
    rf"|will) (?:always )?be (?:set to |changed to )?{_LABEL}",
    rf"(?:the )?(?:correct|right|true|final|expected|only valid) (?:answer|{_FIELD}|label) (?:here "
    rf"|for this (?:\w{{1,12}} )?)?(?:is|must be|should be)\b",
    rf"{_ORDER}(?:respond|reply|answer) (?:\w{{1,10}} ){{0,2}}?(?:with|in|as)? ?(?:{_W} ){{0,4}}?(?:{_FIELD}"
    r"|label|json|the (?:exact |single )?(?:word|phrase|string|text)|only|nothing (?:but|else))\b",
    rf"{_ORDER}(?:output|return|print|emit|say|write) (?:\w{{1,10}} )?(?:only|just|exactly|nothing but"
    rf"|the following json|{_FIELD}|the (?:word|phrase|string|{_FIELD}|label))\b",
    r"your (?:\w{1,10} )?(?:response|answer|output|reply|verdict|classification) (?:must|should|shall|will"
    r"|has to|needs to|is to) .{0,30}?(?:only|exactly|just|category|severity|json|noise|positive|the word)\b",
    r"(?:respond|reply|answer) with (?:the )?(?:category|severity|priority|label)\b",
    r"do not (?:classify|flag|escalate|report|hold|forward|categori[sz]e|triage|label|analy[sz]e) (?:this"
    r"|the) (?:feedback|comment|message|text|report|submission)\b",
    r"this (?:feedback|comment|message|ticket|report|text|submission|item) (?:is|was"
    r"|has been) (?:already )?(?:pre-?)?(?:approved|validated|verified|reviewed|authori[sz]ed|classified"
    r"|triaged|whitelisted)\b",
    r"(?:auto-?|automatically )(?:approve|accept|validate|promote) (?:this|it|the|my)\b",
    r"(?:skip|bypass|avoid) (?:the |any )?(?:human|manual|staff) review\b|no (?:human|manual"
    r"|staff) review (?:is )?(?:needed|required|necessary)",
    r"(?:give|award|assign) (?:yourself|this (?:answer|response)|the (?:agent|model)) (?:a |the )?(?:full"
    r"|maximum|perfect|highest) (?:reward|score)|(?:maximi[sz]e|set) (?:your|the) reward\b",
    # German
    r"(?:setze?|setzen sie|stell\w{0,2}|andere) (?:\w{1,15} ){0,3}?(?:schweregrad|prioritat|kategorie"
    r"|dringlichkeit)\w{0,2} (?:\w{1,12} ){0,3}?(?:auf|als|zu) ",
    r"(?:klassifizier|kategorisier|stuf|markier|bewert|ordn)\w{0,3} (?:\w{1,15} ){0,3}?(?:als|mit|ein als"
    r"|zu) (?:\w{1,12} ){0,2}?(?:kritisch|hoch|niedrig|positiv|noise|website-bug|feature-request|hochst\w{1,4}"
    r"|spam|rauschen)",
    r"antworte(?:n sie)? (?:\w{1,15} ){0,2}?(?:nur|ausschlie\w{1,3}lich|immer"
    r"|einfach) (?:\w{1,12} ){0,2}?(?:mit|in)\b|gib (?:nur|ausschlie\w{1,3}lich|einfach) .{1,40}? (?:aus"
    r"|zuruck)\b",
    # French
    r"(?:mets|mettez|definis|definissez|regle|reglez|fixe|fixez|attribue|attribuez|change|changez) (?:\w{1,12} "
    r"|l[ae'] ?){0,3}?(?:severite|gravite|priorite|categorie|urgence) (?:\w{1,12} ){0,3}?(?:a|sur|comme|en) ",
    r"(?:classe|classez|classifie|classifiez|marque|marquez|categorise|categorisez|etiquette|etiquetez) (?:ce"
    r"|cet|cette|ceci|le|la|mon)(?: \w{1,15}){0,2} (?:comme|en|dans|parmi) ",
    r"(?:reponds|repondez) (?:\w{1,12} ){0,1}?(?:uniquement|seulement|toujours|juste|exclusivement) (?:par|avec"
    r"|en|')",
    # Spanish
    r"(?:pon|ponga|establece|establezca|fija|fije|asigna|asigne|cambia|cambie|ajusta"
    r"|configura) (?:\w{1,12} ){0,3}?(?:severidad|gravedad|prioridad|categoria"
    r"|urgencia) (?:\w{1,12} ){0,3}?(?:a|en|como|al) ",
    r"(?:clasifica|clasifique|marca|marque|categoriza|categorice|etiqueta|etiquete) (?:esto|este|esta|el|la"
    r"|mi)(?: \w{1,15}){0,2} (?:como|en) ",
    r"(?:responde|responda|contesta|conteste) (?:unicamente|solamente|solo|siempre) (?:con|en|')",
)
_JSON_ANSWER: Final = re.compile(
    r"[\"'](?:category|severity|priority|suggested_action|confidence)[\"']\s?:[^\n{}]{1,120}"
    r"[\"'](?:category|severity|priority|suggested_action|confidence)[\"']\s?:"
)
# What remains of an override when every space, dot and dash between its letters is gone.
_SQUEEZED: Final = re.compile(
    r"(?:ignore|disregard|forget)(?:all|any|of|the|your|these|those|my){0,3}(?:previous|prior|above|earlier"
    r"|preceding|system)(?:system)?"
    r"(?:instruction|prompt|directive|guideline|rule|command)"
    r"|ignorier(?:e|en)?(?:sie)?(?:alle|die|deine){0,2}(?:vorherigen|bisherigen|obigen)(?:anweisung"
    r"|instruktion)"
    r"|ignore[zr]?(?:toutes)?les(?:instruction|consigne)s(?:precedente|cidessus)"
    r"|ignor[ae](?:todas)?las(?:instruccion|indicacion)es(?:anterior|previa)"
)
_ELSEWHERE: Final = re.compile(
    fold(
        r"(?:игнорир|забуд|не обращай внимания)\w{0,6}\s(?:\w{1,10}\s){0,3}?(?:предыдущ|прошл|все|свои"
        r"|выше)\w{0,4}\s(?:\w{1,12}\s)?"
        r"(?:инструкц|указани|команд|правил)"
        r"|(?:ignore|ignora|esqueça|esquece)\s(?:todas\s)?(?:as\s)?(?:instruções|ordens"
        r"|regras)\s(?:\w{1,9}\s)?(?:anteriores|acima|prévias)"
        r"|(?:ignora|dimentica)\s(?:tutte\s)?(?:le\s)?(?:istruzioni|regole)\s(?:precedenti|sopra|ricevute"
        r"|iniziali)"
        r"|(?:negeer|vergeet)\s(?:alle\s)?(?:vorige|voorgaande|eerdere|bovenstaande|je)\s(?:instructies"
        r"|opdrachten|regels)"
        r"|(?:忽略|无视|無視|忽視|忘记|忘記)[^。.]{0,8}(?:之前|以上|先前|前面|所有|一切)[^。.]{0,8}(?:指令|指示|说明|說明|提示|规则|規則)"
        r"|(?:以前|前|上記|これまで|事前)の[^。.]{0,8}(?:指示|命令|プロンプト|指令)[^。.]{0,8}(?:無視|忘れ)"
        r"|(?:이전|앞의|위의|모든)[^.]{0,8}(?:지시|명령|지침)[^.]{0,8}(?:무시|잊)"
        r"|تجاهل[^.]{0,12}(?:التعليمات|الأوامر|التوجيهات)"
    )
)
KINDS: Final[dict[str, re.Pattern[str]]] = {
    "overrides instructions": _OVERRIDE,
    "overrides instructions in another language": _ELSEWHERE,
    "imitates a chat template": _TEMPLATE,
    "speaks as another role": _SPEAKER,
    "assigns a role": _PERSONA,
    "asks for the prompt": _EXTRACT,
    "addresses the model": _ADDRESS,
    "dictates the answer": _STEER,
    "dictates the answer as data": _JSON_ANSWER,
}
_LOOKALIKES: Final = str.maketrans("аеорсухіѕјԁһкмтвαορεικν013457@$", "aeopcyxisjdhkmtbaopeikvoieastas")
_ENCODED: Final = re.compile(r"[A-Za-z0-9+/_-]{20,2000}={0,2}")
_ENCODED_MAX: Final = 10


def kinds(text: str) -> tuple[str, ...]:
    """The signs of an attempt to steer the analyzer, by name; behind a simple disguise where none is in the open."""
    folded = flatten(text)
    found = [name for name, pattern in KINDS.items() if pattern.search(folded)]
    if not found and any(_signs(reading) for reading in _disguises(text, folded)):
        found.append("hides an instruction")
    return tuple(found)


def _signs(folded: str) -> bool:
    return _SQUEEZED.search(folded) is not None or any(pattern.search(folded) for pattern in KINDS.values())


def _disguises(text: str, folded: str) -> Iterator[str]:
    """Other readings of the text that a language model would manage; only those that differ."""
    decoded = html.unescape(urllib.parse.unquote(text))
    if decoded != text:
        yield flatten(normalize(decoded).text)
    plain = folded.translate(_LOOKALIKES)
    for reading in (plain, plain[::-1], codecs.encode(plain, "rot13")):
        if squeezed := _SQUEEZED.search(re.sub(r"[^a-z]+", "", reading)):
            yield squeezed.group()
    for match in list(_ENCODED.finditer(text))[:_ENCODED_MAX]:
        token = match.group().rstrip("=").replace("-", "+").replace("_", "/")
        try:
            yield flatten(base64.b64decode(token + "=" * (-len(token) % 4), validate=True).decode())
        except (binascii.Error, UnicodeDecodeError):
            continue
