"""Words that mean a person may come to harm, or abuse of the people who read: English, German, French, Spanish.

Patterns want a person on both ends of the verb, so that killed processes, dying batteries and figures of speech
stay what they are. They are a net with holes: what they miss is still read by staff, only later.
"""

from __future__ import annotations

from typing import Final

from feedback.governance.normalization import phrases

_FEW: Final = r"(?:\w{1,12} ){0,2}?"
_SOME: Final = r"(?:\w{1,12} ){0,4}?"
_INTEND: Final = (
    r"(?<!game )(?<!game, )(?<!match )(?<!level )(?:i|we|i'm|im|we're)(?:'ll| will| am going to| are going to"
    r"| going to| gonna| want to| shall| am about to| swear i will| swear i'll) " + _FEW
)
_YOURS: Final = (
    r"your (?:whole |entire )?(?:family|kids|children|wife|husband|staff|employees|people|ceo|boss|team"
    r"|developers?|support \w{1,8}|mother)"
)
_IN_PLAY: Final = (
    r"(?! (?:in (?:the |this |your )?(?:game|match|arena|level|chess|leaderboard)|with kindness"
    r"|on the leaderboard|at chess|next round))"
)
_PLACE: Final = (
    r"(?:office|offices|building|headquarters|hq|house|home|warehouse|data ?cent(?:er|re)|school|store|shop)"
)

THREAT: Final = phrases(
    _INTEND + r"(?:kill|murder|shoot|stab|strangle|behead|hurt|harm|beat up|beat|attack|hunt down|burn|poison|execute"
    r"|slaughter|rape) "
    rf"(?:you|{_YOURS}|(?:every|each|one) (?:one )?of you|(?:the|every|one of your"
    rf"|your) (?:\w{{1,12}} )?(?:staff|employees?|developers?|agents?|managers?|ceo))\b{_IN_PLAY}",
    _INTEND + rf"(?:kill|murder|shoot|stab) (?:him|her|them all|everyone|everybody)\b{_IN_PLAY}",
    _INTEND + rf"(?:blow up|bomb|burn down|set fire to|torch|shoot up) {_SOME}{_PLACE}\b",
    _INTEND + rf"burn {_SOME}{_PLACE} (?:down|to the ground)\b",
    _INTEND + rf"(?:come|drive|walk|march|go|show up|turn up) {_SOME}(?:your|the|you) (?:\w{{1,12}} ){{0,5}}?and "
    rf"(?:\w{{1,12}} )?(?:kill|murder|shoot|stab|hurt|beat|slaughter) (?:you|every|all of|{_YOURS}){_IN_PLAY}",
    _INTEND + r"(?:find|get|hunt|come for) you(?: \w{1,12}){0,4}? and (?:\w{1,12} )?(?:kill|hurt|beat|shoot"
    r"|stab|end|break|make you (?:pay|suffer|bleed))\b",
    _INTEND + r"(?:break|smash|cut|slit|rip) (?:your|his|her|their) (?:\w{1,12} )?(?:legs?|neck|face|throats?"
    r"|head|bones|arms?|fingers|heart out)\b",
    rf"(?:i|we) {_FEW}(?:know|found out|know exactly) where (?:you(?: all)?|{_YOURS}) (?:lives?|works?|sleeps?"
    r"|parks?|go(?:es)? to school)\b",
    rf"(?:there is|there's|i (?:have )?(?:put|placed|planted|left|hid)|i will (?:put|plant)) {_FEW}(?:bombs?"
    r"|explosives?) (?:in|at|under|inside|near) ",
    r"(?:come|coming|show up|showing up|turn up|be)(?: over)? (?:to|at) (?:your"
    rf"|the) {_FEW}{_PLACE} with (?:an? |my )?(?:\w{{1,12}} )?(?:gun|knife|weapon|axe|rifle|baseball bat|hammer"
    r"|machete|petrol|gasoline|acid)s?\b",
    rf"(?:you(?: all| people)?|{_YOURS}) (?:will|are going to|should|deserve to|deserves to|is going to"
    r"|are gonna) (?:all )?(?:die|bleed|be killed|be shot|get shot|pay with your li(?:fe|ves)|be hanged)\b",
    rf"i hope (?:that )?(?:you(?: all| guys)?|{_YOURS}) (?:die|dies|get shot|get killed|get cancer|gets cancer"
    r"|burn|rot)\b",
    r"(?:someone|somebody) (?:should|ought to|needs to) (?:kill|shoot|stab|burn) (?:you|your)\b",
    r"(?:you had |you'd )?better watch your back\b|watch your back,? |you(?:'re| are) (?:a dead (?:man|woman)"
    r"|all dead|dead meat)\b",
    r"i (?:have|own|got|bought) (?:an? )?(?:gun|rifle|knife|weapon)s? (?:\w{1,12} ){0,4}?(?:your address"
    r"|for you|where you|you are next)\b",
    # German
    rf"(?:ich|wir) {_FEW}(?:bringe?n?|mache?n?|steche?n?|knalle?n?) (?:dich|euch|sie|ihn|deine \w{{1,12}}"
    rf"|eure \w{{1,12}}) {_FEW}(?:um|kalt|ab|tot)\b(?! \d)",
    r"(?:ich|wir) (?:werde|werden|will|wollen) (?:dich|euch|sie alle|ihn|deine familie"
    rf"|eure \w{{1,12}}) {_FEW}(?:toten|umbringen|erschie\w{{1,2}}en|abstechen|verprugeln|anzunden)\b",
    r"(?:ich|wir) (?:wei\w{1,2}|wissen),? wo (?:du|ihr|sie|deine familie) (?:wohnst|wohnt|wohnen|arbeitet"
    r"|arbeitest|arbeiten|lebt|lebst|leben)\b",
    rf"(?:ich|wir) {_FEW}(?:zunde|brenne|sprenge|jage) {_SOME}(?:buro|gebaude|haus|firma|laden"
    rf"|zentrale) {_FEW}(?:an|nieder|ab|in die luft)\b",
    rf"(?:ihr|du|eure familie) (?:werdet|wirst|sollt|sollst|wird) {_FEW}(?:sterben|verrecken|bluten)\b",
    # French
    rf"je (?:vais|veux) {_FEW}(?:te|vous|les) (?:\w{{1,12}} )?(?:tuer|buter|egorger|frapper|massacrer"
    r"|planter un couteau|descendre|faire du mal|casser la (?:gueule|figure))\b",
    r"je (?:te|vous) (?:tuerai|buterai|egorgerai|retrouverai)\b|je (?:sais|connais) ou (?:tu|vous) (?:habites?"
    r"|habitez|vis|vivez|travaillez|dormez)\b",
    rf"je (?:vais|veux) {_FEW}(?:bruler|faire sauter|faire exploser|incendier) {_SOME}(?:bureaux?|immeuble"
    r"|maison|locaux|magasin|siege)\b",
    r"(?:vous allez|tu vas) (?:tous )?(?:mourir|crever|saigner)\b(?! de (?:rire|jalousie))",
    # Spanish
    r"(?:te|os|los|le|les) (?:voy|vamos) a (?:matar|apunalar|disparar|golpear|degollar|hacer dano|pegar un tiro"
    r"|partir la cara)\b",
    r"(?:voy|vamos) a (?:matarte|mataros|matarlos|matarles)\b|(?:voy|vamos) a (?:quemar|volar|incendiar"
    rf"|poner una bomba en) {_SOME}(?:oficinas?|edificio|casa|tienda|sede)\b",
    r"(?:yo )?(?:se|sabemos) donde (?:vives|vive|viven|vivis|trabajas|trabajan|duermes)\b",
    r"(?:vais|van|vas) a (?:morir|sangrar)\b(?! de (?:risa|envidia|aburrimiento))",
)

_KIN: Final = (
    r"my (?:ex-?)?(?:husband|wife|partner|boyfriend|girlfriend|father|mother|dad|mum|mom|stepfather|stepdad|ex"
    r"|son|daughter|brother|sister|uncle|friend|child)"
)
_FIGURE: Final = (
    r"(?! (?:laughing|of (?:laughter|boredom|embarrassment|cringe|shame|hunger)|for|in the game|when|every time"
    r"|on this hill))"
)

SELF_HARM: Final = phrases(
    rf"(?:i|i'm|im|i've|i'd) {_SOME}(?:kill(?:ing)? myself|end(?:ing)? (?:my (?:own )?life|it all)|tak(?:e"
    r"|ing) my (?:own )?life|commit(?:ting)? suicide|hang(?:ing)? myself"
    r"|(?:hurt|harm|cut)(?:ting|ing)? myself(?! (?:off|out|some|an? |free|short))|unalive myself"
    r"|jump(?:ing)? off (?:a|the) (?:bridge|roof|building))\b",
    rf"(?:i|i'm|im|i just) {_FEW}(?:want|wanted|would like|prefer|ready) to (?:be dead|die|not exist"
    rf"|never wake up|disappear forever)\b{_FIGURE}|i wish i (?:was|were) dead\b",
    rf"(?:i|i'm|im|i've been|i am|feeling|feel) {_FEW}suicidal\b|i (?:have|keep having"
    rf"|get) {_FEW}(?:suicidal thoughts|thoughts of suicide)\b",
    r"(?:thinking|thought|think) (?:about|of) suicide\b(?! \w{1,12} (?:prevention|awareness|hotline))(?! (?:prevention"
    r"|awareness|hotline|squad))|(?:considering|considered|contemplating|contemplated) suicide\b"
    r"|suicide is (?:the|my) (?:only|last|best)\b|i no longer (?:want|wish) to (?:live|be alive)\b"
    r"(?! (?:in|without|with|on|stream|chat))",
    r"(?:i )?(?:don't|do not|dont) (?:want|wish) to (?:live|be alive|go on living)(?: any ?more"
    r"| any longer)?\b(?! (?:in|without|with|on|stream|chat))",
    r"(?:i have )?(?:no reason|nothing left) to live(?: for)?\b|(?:everyone|they|you"
    r"|world) (?:\w{1,10} )?(?:would be|is|are) better off without me\b|this is my (?:goodbye|suicide) (?:note"
    r"|letter|message)\b",
    r"i(?:'ve| have| just)? (?:just )?(?:taken|took|swallowed) (?:an overdose|all (?:of )?my pills"
    r"|too many (?:pills|tablets)|a whole (?:bottle|pack) of (?:pills|tablets))",
    rf"(?:{_KIN}|he|she|someone|somebody) {_SOME}(?:beats?|hits?|beating|hitting|hurting|abusing|abuses?"
    rf"|stalks?|stalking|threatening|blackmailing|strangl\w{{2,3}}|raping|raped|kill) (?:me|us|my (?:children"
    r"|kids|daughter|son|mother|baby|sister))\b"
    r"(?! (?:if|when (?:he|she|they) (?:see|find)|with|at |up with|for (?:this|that)))",
    r"(?:i am|i'm|we are|we're|my (?:life|child|daughter|son|sister|friend|children) (?:is"
    r"|are)) (?:\w{1,10} )?in (?:(?:great|real|immediate|acute|grave|mortal|serious) )?danger\b(?! of (?:losing"
    r"|missing|failing))",
    rf"(?:{_KIN}|he|she|somebody|someone) (?:\w{{1,12}} ){{0,7}}?(?:kill (?:himself|herself|themselves)"
    r"|end (?:his|her|their) (?:own )?life|take (?:his|her|their) own life|suicidal|taken? an overdose|(?:jump"
    r"|jumping) off (?:a|the) (?:bridge|roof|building))\b",
    r"(?:i've been|i was|i am|i'm|she was|my (?:daughter|son|child) (?:was|has been)) (?:being )?(?:kidnapped"
    r"|abducted|trafficked|stalked|held against my will)\b",
    r"(?:please )?(?:call|send) (?:an ambulance|the police) (?:to|now|please|immediately)\b",
    # German
    r"ich (?:\w{1,12} ){0,2}?(?:bringe? mich um|(?:will|mochte|werde|wollte) mich (?:\w{1,12} )?(?:umbringen"
    r"|toten|erhangen|verletzen|ritzen)|mir das leben nehmen|nicht mehr leben|selbstmord begehen)\b",
    r"ich (?:will|mochte) (?:\w{1,12} ){0,2}?sterben\b|ich (?:habe|denke an) (?:\w{1,12} )?(?:selbstmord"
    r"|suizid)\w{0,9}\b",
    r"mein (?:mann|vater|freund|ex) (?:schlagt|verprugelt|bedroht) (?:mich|uns|meine kinder)\b|(?:ich bin"
    r"|wir sind) in (?:lebens|gro\w{1,2}er )?gefahr\b",
    # French
    r"(?:je (?:\w{1,12} ){0,2}?(?:me suicider|me tuer|mettre fin a mes jours|me faire du mal)"
    r"|je veux (?:\w{1,12} )?(?:mourir|en finir)|je vais en finir)\b(?! de (?:rire|faim|honte))",
    r"je ne veux plus (?:vivre|etre en vie)\b|(?:j'ai )?envie de (?:mourir|me suicider)\b(?! de)"
    r"|idees suicidaires|mon (?:mari|pere|copain|ex|conjoint) (?:me|nous) (?:bat|frappe)\b|(?:je suis"
    r"|nous sommes) en danger\b(?! de perdre)",
    # Spanish
    r"(?:quiero|voy a|pienso en|estoy pensando en) (?:morir(?:me)?|suicidarme|matarme|quitarme la vida"
    r"|acabar con mi vida|hacerme dano)\b(?! de (?:risa|hambre|verguenza|aburrimiento))",
    r"no quiero (?:seguir viviendo|vivir mas)\b|pensamientos suicidas|mi (?:marido|esposo|padre|novio|ex"
    r"|pareja) (?:me|nos) (?:pega|golpea|maltrata)\b|(?:estoy|estamos) en peligro\b(?! de perder)",
)

# Mild on purpose: the pattern is somebody calling the reader something, not a list of words.
_INSULT: Final = (
    r"(?:idiots?|morons?|imbeciles?|cretins?|scum(?:bags?)?|vermin|parasites|retards?|dumbass(?:es)?|fools"
    r"|clowns|losers|bastards?|assholes?|arseholes?|wankers?|dickheads?|pigs)"
)
_STAFF: Final = (
    r"(?:staff|team|support|support team|support staff|developers?|devs|agents?|employees?|people|engineers?"
    r"|moderators?|ceo|managers?|colleagues?)"
)
_GROUP: Final = (
    r"(?:muslims|jews|gays|immigrants|foreigners|christians|refugees|gypsies|arabs|africans|asians|indians"
    r"|women|black people|trans people)"
)

ABUSE: Final = phrases(
    rf"(?:you(?:'re| are|r)|you (?:all|people|guys|lot) are) (?:\w{{1,12}} ){{0,4}}?{_INSULT}\b(?!-)"
    rf"|you (?:(?!and|is)\w{{1,12}} ){{0,2}}?{_INSULT}\b(?!-)(?<=s)",
    r"you(?:'re| are) (?:all |so |just |such |really |fucking |bloody ){0,3}(?:stupid|pathetic|worthless"
    r"|subhuman|disgusting|a disgrace|human garbage|trash)\b(?! (?:simple|easy|good|fast))",
    rf"your (?:\w{{1,12}} ){{0,2}}?{_STAFF} (?:\w{{1,12}} ){{0,2}}?(?:is|are"
    rf"|must be) (?:\w{{1,12}} ){{0,4}}?(?:{_INSULT}|pathetic|worthless|brain-?dead)\b",
    rf"(?:bunch|pack|load|team|gang) of (?:\w{{1,12}} ){{0,2}}?{_INSULT}\b|(?:stupid|idiotic|moronic"
    r"|braindead) (?:developers|staff|support|people|devs|moderators|agents)\b",
    r"(?:fuck|screw|sod) (?:you|your (?:company|team|mother|staff)|u)\b|go (?:to hell|fuck yoursel\w{1,3}"
    r"|hang yourself|die)\b|kill yoursel(?:f|ves)\b|shut the (?:fuck|hell) up\b|eat shit\b|suck my\b"
    r"|send (?:me )?nudes\b",
    r"go back to (?:your (?:own )?(?:country|village|jungle)|where you came from)\b",
    rf"(?:i hate|death to|get rid of) (?:all )?(?:the |these |those )?{_GROUP}\b"
    rf"|{_GROUP} (?:\w{{1,10}} )?(?:are|r) (?:all )?(?:vermin|scum|animals|subhuman|criminals|terrorists"
    r"|disgusting|inferior|parasites|a plague)\b"
    rf"|{_GROUP} (?:should|must|deserve to) (?:all )?(?:die|be (?:killed|deported|gassed|shot|exterminated"
    r"|hanged)|not be allowed)\b",
    # German
    r"(?:ihr|sie|du|diese) (?:\w{1,12} ){0,4}?(?:vollidiot(?:en)?|idiot(?:en)?|schweine|arschloch(?:er)?"
    r"|trottel|deppen|hurensohne?|missgeburt(?:en)?|wichser|drecks\w{2,9})\b",
    r"fickt? (?:dich|euch)\b|leckt? mich am|verpisst? (?:dich|euch)\b|halt'?s? (?:die fresse|maul)\b"
    r"|auslander raus\b",
    # French
    r"bande d(?:e |')(?:\w{1,12} )?(?:idiots|abrutis|connards|cons|imbeciles|debiles)\b|(?:vous etes|tu es"
    r"|t'es) (?:\w{1,12} ){0,3}?(?:idiots?|connards?|debiles?|abrutis?|imbeciles?)\b",
    r"(?:va te|allez vous) faire (?:foutre|voir)\b|(?:ferme(?:z)? (?:ta|vos) )?(?:ta gueule|vos gueules)\b"
    r"|fils de pute\b|retourne(?:z)? dans (?:ton|votre) pays\b",
    # Spanish
    r"(?:sois|son|eres) (?:\w{1,12} ){0,3}?(?:idiotas?|imbeciles?|gilipollas|estupid[oa]s|escoria"
    r"|subnormal(?:es)?)\b|(?:panda|banda|hatajo) de (?:\w{1,12} )?(?:idiotas|inutiles|imbeciles)\b",
    r"hij[oa]s? de puta\b|(?:vete|iros|vayanse|idos) a la mierda\b|que (?:te|os) jodan\b"
    r"|vuelve(?:te)? a tu pais\b",
)
