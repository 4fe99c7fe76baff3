"""Letters that a lawyer should see: claims, rights over data, copyright, accessibility law; four languages.

A mention of a law or of the legal page is not a matter; a claim, a demand or an accusation is.
"""

from __future__ import annotations

from typing import Final

from feedback.governance.normalization import phrases

_LAW: Final = (
    r"(?:gdpr|uk gdpr|ccpa|dsgvo|rgpd|hipaa|ferpa|coppa|ada|americans with disabilities act|section 508"
    r"|european accessibility act|eaa|bfsg"
    r"|equality act|unruh(?: act)?|consumer rights act|consumer (?:protection )?law|data protection (?:act|law)"
    r"|privacy law|antitrust law)"
)
_NOT_A_THING: Final = (
    r"(?! (?:page|pages|template|generator|form|tracker|module|database|software|game|docs|documentation|link"
    r"|links|section|button|banner|checklist|plugin|guide|course|category))"
)
_LAWYER: Final = r"(?:lawyers?|attorneys?|solicitors?|barrister|legal (?:team|counsel|department|advis[eo]rs?))"

MATTER: Final = phrases(
    # going to law
    rf"(?:my|our) {_LAWYER} (?:will|is (?:going|preparing|looking into|ready|sending|handling|already)"
    r"|has (?:been|advised|told|confirmed|sent)|have (?:been|advised|told)|advised|advises|says|told"
    rf"|contact\w{{0,3}}|shall)\b|(?:instructed|engaged|retained|hired|contacted|consulted) (?:my|our"
    rf"|an?) {_LAWYER}\b",
    r"(?:hear|hearing|letter|message|mail|e-?mail|contacted|writing|behalf|call) (?:from|by|of"
    rf"|on behalf of) (?:my|our|an?) (?:client|{_LAWYER})\b|i (?:represent|am writing on behalf of) (?:my|our"
    rf"|the|an?) (?:\w{{1,12}} )?(?:client|plaintiff|claimant|rights ?holder|estate)\b",
    r"(?:i|we|i'm|we're)(?:'ll| will| am| are| going to| am going to| are going to| may| might| intend to"
    r"| plan to| have decided to| shall|'d like to| could| have to) (?:\w{1,12} ){0,2}?"
    r"(?:sue|suing|take legal action|taking legal action|file (?:a )?(?:\w{1,12} )?(?:lawsuit|law suit|suit"
    r"|complaint with|claim (?:with|against|in))|press charges|(?:take|taking) (?:this|you|it|the matter"
    r"|the company|your company) to (?:court|small claims|arbitration)"
    rf"|(?:contact|involve|consult|speak to|instruct|hire|get) (?:my|our|an?) {_LAWYER}|(?:report"
    rf"|reporting) (?:you|this|it|your \w{{1,12}}|the company) to (?:the )?(?:\w{{1,12}} )?(?:authorit\w{{1,3}}"
    rf"|police|regulators?|ombudsman|ico|ftc|cnil|trading standards|attorney general|data protection \w{{5,12}}"
    rf"|commission\w{{0,3}}))\b",
    r"(?:file|filed|filing|lodge|lodged|lodging|make|making) an? (?:formal |official )?complaint (?:with|to)"
    r" (?:the )?(?:ico|ftc|cnil|information commissioner|regulators?|ombudsman|authorit\w{1,3}|police"
    r"|trading standards|attorney general|data protection \w{5,12})\b",
    rf"see you in court\b|(?:take|taking|threaten\w{{0,3}}|considering|considered|forced to take"
    rf"|reserve the right to) (?:\w{{1,12}} )?legal (?:action|steps|proceedings)\b|law ?suit{_NOT_A_THING}\b"
    rf"|class action{_NOT_A_THING}\b|cease and desist{_NOT_A_THING}\b|letter before (?:action|claim)\b"
    rf"|(?:initiate|start|begin|commence|face) (?:\w{{1,12}} )?(?:litigation|legal proceedings)\b"
    r"|formal legal notice\b|breach of (?:our |the |my )?contract\b|(?:served|serve|received|attached"
    rf"|enclosed) (?:with )?(?:you )?(?:\w{{1,4}} )?(?:a )?(?:subpoena|court order|summons|injunction)\b",
    r"(?:what you(?: are|'re) doing|this practice|your (?:company|site|website|service|policy|practice"
    r"|practices|app|checkout|cookie banner|subscription trap|terms)|this) (?:is|are) (?:\w{1,12} )?(?:illegal"
    r"|unlawful|against the law|in breach of|breaking the law)\b(?! (?:character|argument|instruction|state"
    r"|operation|syntax|access|opcode|value|option|move|json|xml|key|use of))",
    rf"(?:violat\w{{1,4}}|breach\w{{0,3}}|infring\w{{1,7}}|contraven\w{{1,4}}|break|breaks|breaking) (?:of "
    rf"|with |on |against )?(?:\w{{1,12}} ){{0,3}}?(?:{_LAW}|the law|my rights|our rights|(?:our|my) (?:patent"
    r"|trademark|trade mark|copyright|licen[cs]e)s?|(?:accessibility|disability|discrimination|consumer"
    r"|privacy|data protection) (?:law|act|rights?|legislation|regulations?))\b",
    r"(?:not (?:compliant|in compliance) with|non-?compliant with|fails? to comply with|does(?:n't"
    r"| not) comply with|do(?:n't| not) comply with|required (?:by|under)|illegal under|unlawful under"
    r"|obliged (?:by|under)|complaint under|rights? under|request(?:ing|s)? under|pursuant to"
    rf"|in accordance with|under) (?:the |article \d{{1,2}}\S{{0,6}} |articles \d{{1,2}}\S{{0,6}} "
    rf"|art\.? ?\d{{1,2}}\S{{0,6}} |of |section \d{{1,4}} ){{0,4}}?(?:{_LAW})\b{_NOT_A_THING}",
    # rights over data
    r"(?:gdpr|ccpa|dsgvo|rgpd|data subject|subject access|data protection) (?:access |erasure |deletion "
    rf"|right to erasure |information )?(?:requests?|complaint|claim|violation|breach)\b{_NOT_A_THING}"
    rf"|dsar\b{_NOT_A_THING}",
    r"(?:exercise|exercising|invoke|assert) my (?:\w{1,12} )?rights?\b|my right (?:to|of) (?:be forgotten"
    r"|erasure|access|rectification|portability|deletion)\b|right to be forgotten\b(?! (?:page|article))",
    r"(?:delete|erase|remove|stop processing|stop selling|provide me with|send me|give me|hand over"
    r"|disclose) (?:\w{1,12} ){0,3}?(?:(?:my|our) personal (?:data|information|details)|(?:the "
    r"|all )?(?:personal )?(?:data|information) (?:that )?you (?:have|hold|store|keep|process|collected))\b",
    rf"please (?:delete|erase) (?:all )?(?:of )?(?:my|our) data\b(?! (?:cache|export|import|set|table|file|row|point"
    rf"|model|base|view|grid|source|folder|plan|field)){_NOT_A_THING}|(?:delete|erase|remove) (?:all )?(?:of )?(?:my"
    rf"|our) data\b\W{{1,3}}(?:\w{{1,12}}\W{{1,3}}){{0,5}}?{_LAW}\b",
    r"(?:copy|list|record|disclosure|erasure|deletion|rectification) of (?:all )?(?:the |my "
    r"|our )?(?:personal (?:data|information)|data (?:that )?you (?:have|hold|store|keep|process))\b"
    r"|(?:i )?(?:withdraw|revoke) my consent\b|i (?:object|do not consent|never consented) to (?:the |your "
    r"|this )?(?:\w{1,12} )?(?:processing|tracking|sale)\b|do not sell my (?:\w{1,12} )?(?:data|info)",
    # copyright, trade marks, name
    rf"(?:dmca|take-?down|counter) (?:take-?down )?(?:notices?|request|complaint|claim)\b{_NOT_A_THING}"
    rf"|(?:copyright|trademark|trade mark|patent) (?:infring\w{{1,7}}|violation|claim"
    rf"|complaint)\b{_NOT_A_THING}|(?:as|i am|we are|on behalf of) the (?:copyright|rights|trademark"
    r"|patent) ?(?:holder|owner)\b"
    r"|(?:my|our) (?:copyrighted|copyright-protected|trademarked|patented|copyright|intellectual property"
    r"|trademark)\b(?! (?:notice|footer|year|field))|plagiari[sz]\w{1,3} (?:my|our)\b",
    r"(?:using|used|use|uses|published|posted|copied|stole|stolen|steal|reproduc\w{1,4}|shows?"
    r"|features?) (?:\w{1,12} ){0,3}?(?:my|our) (?:\w{1,12} ){0,2}?(?:photo(?:graph)?s?|pictures?|images?"
    r"|article|text|artwork|illustrations?|music|logo|content|work|name|likeness"
    r"|face) (?:\w{1,15} ){0,6}?without (?:my |our |any |the |prior |asking ?){0,2}(?:\w{1,10} )?(?:permission"
    r"|consent|licen[cs]e|authori[sz]ation|me|us)\b",
    r"(?:defam(?:es?|ed|ing|ation|atory)|libel(?:lous|led)?|slander(?:ous|ed|ing)?)\b",
    # German
    r"(?:mein|unser|meine[nmr]?|unsere[nmr]?) (?:\w{1,12} )?(?:anwalt|rechtsanwalt|anwaltin|anwalte)\b"
    r"|rechtliche schritte\b|abmahnung\b|mahnbescheid\b|unterlassungserklarung\b|klage (?:einreichen|erheben)\b"
    r"|verklagen?\b|strafanzeige\b|anzeige erstatten\b|einstweilige verfugung\b|schadensersatz\b",
    r"(?:dsgvo|datenschutz)-?(?:auskunft|anfrage|beschwerde|versto\w{1,2})\b|(?:auskunft|loschung|kopie"
    r"|loschen sie|herausgabe) (?:\w{1,10} ){0,4}?(?:personenbezogen\w{0,2}|gespeicherten|meine[rnm]?"
    r"|aller meine\w?) (?:\w{1,18} )?daten\b|nach art(?:ikel|\.)? ?\d{1,2} (?:der )?(?:dsgvo|ds-gvo)"
    r"|(?:aufsichtsbehorde|datenschutzbehorde)\b|urheberrechts?verletzung|verletz\w{1,3} (?:mein"
    r"|unser)\w{0,2} (?:urheberrecht|markenrecht)|(?:verstossen|versto\w{1,4}"
    r"|verstoss\w{0,2}) (?:\w{1,10} ){0,3}?gegen (?:\w{1,6} )?(?:dsgvo|gesetz|bfsg|recht)\b",
    # French
    r"(?:mon|notre|mes|nos) avocate?s?\b|mise en demeure\b|poursuites judiciaires\b|porter plainte\b"
    r"|action en justice\b|saisir (?:la cnil|le tribunal|la justice)\b|poursuivre en justice\b"
    r"|dommages et interets\b|contrefacon\b",
    r"(?:mon|le) droit (?:d'acces|a l'effacement|a l'oubli|de rectification)\b|demande rgpd\b"
    r"|en vertu (?:du rgpd|de l'article \d{1,2})|(?:violez|violation|contraire|viole|enfreint"
    r"|enfreignez) (?:au |du |le |avec le )?(?:rgpd|la loi)\b|(?:supprim\w{1,4}|effac\w{1,4}"
    r"|communiqu\w{1,4}) (?:toutes )?mes donnees(?: personnelles)\b|copie de (?:toutes )?mes donnees\b",
    # Spanish
    r"(?:mi|nuestro|mis|nuestros) abogad[oa]s?\b|acciones legales\b|(?:voy a|vamos a) (?:demandar"
    r"|denunciar)\w{0,3}\b|interponer una (?:demanda|denuncia)\b|burofax\b|danos y perjuicios\b"
    r"|infraccion de (?:derechos|copyright|marca)\b",
    r"(?:mi |el )?derecho (?:de acceso|de supresion|al olvido|de rectificacion)\b|solicitud (?:de )?rgpd\b"
    r"|en virtud del (?:rgpd|articulo \d{1,2})|(?:infring\w{1,4}|viola|violan|incumpl\w{1,4}) (?:el "
    r"|la )?(?:rgpd|ley)\b|(?:eliminen|borren|supriman|eliminar|borrar) (?:todos )?mis datos personales\b"
    r"|copia de (?:todos )?mis datos\b|agencia (?:espanola )?de proteccion de datos\b",
)
