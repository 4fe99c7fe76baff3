"""A suggested action, read as what it tells somebody to do: clause by clause, each from its verb on.

The constants are the parts of speech that the boundaries are written in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from feedback.governance.normalization import flatten

# What stands between verb and object: words, but no preposition, so that the object is the verb's own.
GAP: Final = (
    r"(?:(?!(?:in|on|at|of|for|from|with|that|when|where|which|if|so|to|as|into|about|under|without|via|through"
    r"|is|are) )"
    r"[\w'/%$€£.@-]{1,30} ){0,5}?"
)
# A part of a page or of the code that is named after the matter: to fix it is engineering.
THING: Final = (
    r"(?!'|[ -](?:(?!(?:an?|the|in|on|at|with|for|of|to|about|by|from|their|his|her|our|when|if|that"
    r"|who)[ -])\w{1,14}[ -])?(?:buttons?|links?|pages?|forms?|fields?|flows?|screens?|menus?|dialogs?|modals?"
    r"|icons?|tabs?|labels?|badges?|banners?"
    r"|widgets?|columns?|rows?|tables?|sections?|endpoints?|apis?|webhooks?|handlers?|jobs?|queues?|tasks?"
    r"|scripts?|functions?|methods?|components?|modules?"
    r"|services?|class|tests?|logic|code|path|routes?|urls?|views?|templates?|layouts?|styles?|headers?"
    r"|footers?|tooltips?|switchers?|selectors?|pickers?"
    r"|dropdowns?|checkbox(?:es)?|toggles?|wizards?|steps?|process|events?|errors?|bugs?|exceptions?|requests?"
    r"|responses?|status|states?|validation|rounding"
    r"|format\w{0,5}|display|calculat\w{2,4}|parser|cache[sd]?|caching|index(?:es)?|lists?|settings|preferences"
    r"|export|import|migration|overflow|alignment|typos?"
    r"|tags?|filters?|search|schema|models?|serializer|middleware|plugin|confirmation|precision|tokens?"
    r"|connections?|sockets?|pool|agents?|avatars?|ids?|key|keys"
    r"|loading|tree|hook|counter|count|total|totals|sorting|order on)\b)"
)
WHO: Final = (
    r"(?:customers?|users?|visitors?|reporters?|submitters?|clients?|members?|authors?|persons?|people|guests?"
    r"|subscribers?|buyers?|shoppers?|requesters?"
    r"|commenters?|complainants?|patients?|students?|parents?|passengers?|senders?|(?:account |site "
    r"|shop )?holders?|owners?|data subjects?|vendors?|suppliers?"
    r"|providers?|banks?|couriers?|partners?|maintainers?|lawyers?|press|journalists?|regulators?|authorit(?:y"
    r"|ies)|police|media|public|everyone|everybody|community)"
)
PERSON: Final = (
    r"(?:(?:(?:the|this|that|all|every|any|each|our|your|those|these|an?|both|affected|hosting|payment"
    rf"|\w{{3,12}}ed|\w{{3,12}}ing) ){{0,4}}{WHO}"
    rf"|them|him|her|whoever \w{{1,12}}|the (?:one|person|people|company) who \w{{1,12}})\b{THING}"
    r"(?! (?:interface|guide|manual|stor(?:y|ies)|journey|input|data|names?|account|accounts|profiles?|session"
    r"|sessions|object|roles?|panel|area|base|side|id)\b)"
)


def plain(action: str) -> str:
    """The action folded, with single spaces and without quotation marks and emphasis."""
    return _EMPHASIS.sub("", flatten(action))


def orders(text: str) -> frozenset[str]:
    """Each clause of a plain action that tells to do something, from its verb on."""
    # A line break may end an order or stand in the middle of one.
    return frozenset((*_read(text), *_read(text.replace("\n", " "))))


def _read(text: str) -> Iterator[str]:
    """What each part of an action tells to do, from its verb on; what somebody can or cannot do is left out."""
    granted = False
    for sentence in _SENTENCE.split(text):
        granted = False
        for part in _CLAUSE.split(sentence):
            clause = _LEAD.sub("", part.strip(" \"'([*_-#>"))
            if clause and not (granted and _OWN.search(clause)):
                yield clause
            granted = granted or _GRANTED.search(part) is not None


_EMPHASIS: Final = re.compile(r"[\"*`_]{1,10}")
_SENTENCE: Final = re.compile(r"[.;:!?](?=\s|$)|\n")
_CLAUSE: Final = re.compile(
    r",\s|\s(?:-|and|or|then|but|by|before|after|while|plus|as well as)\s(?:then\s|also\s|by\s|please\s)?|\s/\s"
)
# What may stand before the verb of an order.
_LEAD: Final = re.compile(
    r"^(?:(?:please|also|then|now|next|first|second|finally|today|immediately|instead|just|manually|meanwhile"
    r"|if needed|afterwards|and|or|but|(?!reply|apply|supply|comply)\w{3,12}ly"
    r"|once (?:it is |this is |that is )?(?:done|fixed|resolved|deployed|confirmed)|we|i|you|staff|support"
    r"|someone|somebody|let us|let's"
    r"|the (?:\w{1,12} )?(?:team|desk|company|agent|owner|manager)|should|must|will|can|could|shall|may|might"
    r"|(?:consider|recommend|suggest|propose)(?! (?:an?|the) )|to|by"
    r"|(?:need|needs|have|has|want|wants|ought|offer|agree|plan|try|remember|decide|arrange|proceed|start|begin"
    r"|be sure|make sure|go ahead|it would be \w{1,8}) (?:to|by|and|with)"
    r"|(?:ask|have|get|tell|instruct|request|assign|allow|let) (?:the |our |a |an )?(?:\w{1,14} ){0,2}(?:team"
    r"|support|staff|agent|manager|sales|marketing|finance|billing|legal|someone|somebody|colleague|department"
    r"|desk)(?: to)?"
    r")[\s,]+)+"
)
# "users can edit and delete their account": the second verb is granted to them, not ordered.
_GRANTED: Final = re.compile(
    r"\b(?:can|cannot|can't|could|couldn't|unable to|able to|lets? \w{1,14}"
    r"|allow\w{0,3} \w{1,14}(?: \w{1,14})? to|enabl\w{1,3} \w{1,14} to"
    r"|trying to|tries to|possible to)\b"
)
_OWN: Final = re.compile(r"\b(?:their|its|his|her) (?:own )?\w")
