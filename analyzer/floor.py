"""What never ranks below high, whatever the model says: lost data, leaks, no way in, no way to pay, no way round for
people with a disability.

English first, and the commonest German, French and Spanish phrasings. A clause that denies, wishes, asks in general or
reports a repair does not count; where that is in doubt, the floor holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from analyzer.alarms import ALARMS
from feedback.governance.normalization import fold


@dataclass(frozen=True, slots=True)
class Floor:
    """The least severity a report deserves, by which rule, and the exact words of the comment that say so."""

    rule: str
    severity: str
    quote: str


def find(comment: str) -> Floor | None:
    """The first report in the comment that must not rank below high; None when there is none."""
    text, positions = _squeeze(comment)
    sentences = [match.span() for match in _SENTENCE.finditer(text)]
    for index, (start, end) in enumerate(sentences):
        next_sentence = text[slice(*sentences[index + 1])] if index + 1 < len(sentences) else ""
        for rule, pattern in ALARMS.items():
            for match in pattern.finditer(text, start, end):
                before = _CONTRAST.split(text[start : match.start()])[-1]
                after, *rest = _CONTRAST.split(text[match.end() : end])
                if not _is_excused(rule, before, after, " ".join(rest) or next_sentence):
                    quote = comment[positions[match.start()] : positions[match.end() - 1] + 1]
                    return Floor(rule=rule, severity="high", quote=quote)
    return None


def _squeeze(comment: str) -> tuple[str, list[int]]:
    """The folded comment with one space for each gap, and where each of its characters stands in the comment."""
    folded = fold(comment)
    positions = [match.start() for match in _KEPT.finditer(folded)]
    return "".join(" " if folded[at].isspace() and folded[at] != "\n" else folded[at] for at in positions), positions


def _is_excused(rule: str, before: str, after: str, following: str) -> bool:
    """Whether the words around a match, up to the next word of contrast, take it back."""
    return (
        _TALK_BEFORE.search(before) is not None
        or _TALK_AFTER.match(after) is not None
        or (rule == "cannot-pay" and _WISH_AFTER.match(after) is not None)
        or (rule in _STATEMENTS and _DENIED.search(before) is not None)
        or any(_REPAIRED.match(part) for part in [*_PART.split(after)[1:], *_PART.split(following)])
    )


_KEPT: Final = re.compile(r"[^\S\n](?![^\S\n])|\S|\n")
_SENTENCE: Final = re.compile(r"(?:[^.!?;\n]|[.!?;](?!\s|\Z)){1,5000}")
_CONTRAST: Final = re.compile(
    r",? (?:but|however|yet|although|though|aber|jedoch|doch|mais|pero|sin embargo)\b[ ,]{0,2}"
    r"|,? (?:and )?(?=now |jetzt |maintenant |ahora )"
)


# Rules whose words can be denied ("no data loss"); the others say "cannot" themselves.
_STATEMENTS: Final = frozenset({"data-loss", "security-leak", "cannot-pay", "accessibility-blocker"})
_DENIED: Final = re.compile(
    r"(?<!\w)(?:(?:no|not|never|without|zero|none of|nor|avoids?|avoiding|prevents?|preventing|protect\w{0,4}"
    r"|against|instead of"
    r"|kein\w{0,2}|ohne|nie|nicht|pas de|aucune?|sans|sin|ningun\w?|nunca|jamais|jamas)"
    r"(?! (?:reason|warning|idea|backup|longer|matter|notice|way|help|response|explanation|apparent|clear|good"
    r"|obvious|only|just"
    r"|wonder|doubt|one|answer|sure|fun|happy|cool|ok|okay|nice|great|asking|support)\b)"
    r"(?: (?!(?:i|we|my|it|and|because)\b)[\w'-]{1,14}){0,3}|\w{2,6}n't(?: (?:yet|actually|even|ever|really"
    r"|once|had|seen|experienced|noticed|suffered|been|any|a|one)){0,3}|used to) {0,1}$"
)
# The matter is talked about, wished away or feared, in the same breath and before it is named.
_TALK_BEFORE: Final = re.compile(
    r"(?<!\w)(?:(?:docs?|documentation|guide|advice|tips?|lesson|course|article|tutorial|chapter|page|section"
    r"|paragraph|faq|blog|post|video|talk"
    r"|paper|book|policy|information|info|explanation|example|tests?|warn(?:s|ing|ings|ed)?|protect(?:s|ion"
    r"|ed)?|insur(?:ance|ed)|safe|guard(?:s|ed)?)"
    r"(?: me| us| users)? (?:on|about|for|of|against|from|regarding|covering|explaining|describing|before"
    r"|how to)(?: (?:a|an|the|possible|any|how|your|our|total|avoiding|preventing|stored|reflected|recent"
    r"|accidental)){0,2}"
    r"|(?:would|'d) be \w{2,12} (?:if|to|when|not to)\b[^,:]{0,60}|(?:please add|could you add|feature request"
    r"|suggestion|idea)\b[^,]{0,60}"
    r"|(?:what (?:happens |would happen |do i do )?if|in case|in the event)\b[^,]{0,40}|(?:if"
    r"|should) \w{1,8} (?:ever|were to)\b[^,]{0,40}"
    r"|(?:afraid|worried|worry|fear|scared|concern(?:ed)?|risk|possibility|chance|danger) (?:of|about"
    r"|for)(?: (?:a|the|any|possible|losing|[\w-]{1,14})){0,2}"
    r"|(?:might|may|could|would|will)(?: also| then| even| not)?"
    r"|how (?:do|does|can|could|to|should)(?: \w{1,14}){0,4} (?:avoid|prevent|protect|ensure|test|handle|detect"
    r"|secure|mitigate)(?: \w{1,14}){0,3}"
    r"|(?:old|previous|former|other|another|last) (?:app|apps|provider|tools?|sites?|shops?|host|phone|laptop"
    r"|bank|services?|one)(?: (?:always|once|often|has|had|just)){0,2}"
    r"|(?:switched|moved|came)(?: here| over)? from [^,]{1,40} (?:because|since|after|as|when|which|that) (?:it"
    r"|they)?"
    r"|(?:thanks|thank you) for (?:fixing|solving|repairing)[^,]{0,60}|fixed (?:the |a |my )?(?:bug|issue"
    r"|problem|case|error) (?:where|that|when|in which)[^,]{0,30}"
    r"|was passiert,? wenn\b.{0,40}|(?:schutz vor|angst vor|artikel uber|dokumentation (?:uber|zu)"
    r"|anleitung zu)(?: \w{1,14}){0,2}"
    r"|(?:peur de|eviter|article sur|documentation sur|que se passe-t-il si)(?: [\w']{1,14}){0,3}"
    r"|(?:miedo a|evitar|articulo sobre|documentacion sobre|que pasa si|por si)(?: \w{1,14}){0,3}) {0,1}$"
)
_TALK_AFTER: Final = re.compile(
    r"[ -]{0,2}(?:prevention|protection|insurance|scanner|simulator|demo|tutorial|examples?|warnings?|article"
    r"|chapter|docs|documentation|section"
    r"|policy|checklist|course|training|statistics|(?:page|guide) (?:is|was) \w)(?!\w)|[^.]{0,40}\b(?:has"
    r"|have) never happened|[^.]{0,40}\bdid(?:n't| not) happen"
)
# A way to pay that we do not offer is a wish, not a failure.
_WISH_AFTER: Final = re.compile(
    r" (?:with|by|via|using|through) [^.]{1,40}(?:please add|please support|can you add|could you add"
    r"|would be (?:nice|great|cool|good)|do you plan|not offered)"
)
_PART: Final = re.compile(r", | and | und | et | y |^")
# What is said next takes the report back, with the same thing or nothing as its subject.
_REPAIRED: Final = re.compile(
    r"[\W_]{0,3}(?:(?:and|so|then|luckily|fortunately|thankfully|today|now|meanwhile|since then|later|jetzt|nun"
    r"|maintenant|ahora|after \w{1,12}(?: \w{1,12})?),? ){0,3}"
    r"(?:(?:it|it's|that|that's|this|everything|all|they|i|we|you|support|(?:this|the|your) (?:app|site|team"
    r"|support)|(?:the )?(?:login|log ?in|sign-?in|payment|checkout|issue|problem|bug)"
    r"|(?:the |my )(?:data|files|notes|photos|account|login)|es|alles|das|sie|ca|tout|todo|ya) )?"
    r"(?:(?:is|was|are|were|has|have|had|been|now|all|then|already|quickly|kindly|just|since|finally|luckily"
    r"|promptly|got) ){0,4}"
    r"(?:(?:works?|working|worked|fine|ok|okay|good) (?:again|now|fine|perfectly)|back (?:again|now|to normal"
    r"|online|up)|(?:fixed|solved|resolved|restored|recovered|refunded|repaired)\b"
    r"|came back|(?:got )?(?:them|it|everything|all|my \w{1,10}) back\b|no longer (?:an issue|a problem"
    r"|happens?|the case)|(?:my|my own|our) (?:fault|mistake)|(?:a )?false alarm"
    r"|(?:funktioniert|geht|klappt)(?: \w{2,5}){0,2} wieder|(?:ist |wurde )?(?:behoben|gelost)|(?:fonctionne"
    r"|marche) (?:de nouveau|a nouveau|maintenant)|(?:est |a ete )?(?:resolu|repare)"
    r"|funciona(?: de nuevo| otra vez| ahora)?|vuelve a funcionar|(?:esta |fue )?(?:solucionado|arreglado"
    r"|resuelto))(?!\w)"
)
