"""E-mail addresses, as people write them and as they disguise them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from feedback.governance.finders.reading import Span

_LOCAL: Final = r"[\w.%+'-]+"
_TOP: Final = r"(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,24})"
_PLAIN: Final = re.compile(
    rf"(?:(?<![\w.%+'-])(?P<local>{_LOCAL})|\"[^\"\s@]{{1,62}}\")@(?P<domain>(?:[\w-]{{1,63}}\.)+(?P<top>{_TOP}))",
    re.IGNORECASE,
)

_DOT_WORD: Final = r"(?:dot|punkt|punto|point|ponto)"
_DOT: Final = rf"(?:\s?[\[({{<]\s?(?:{_DOT_WORD}|\.)\s?[\])}}>]\s?|\s{_DOT_WORD}\s|\s?\.\s?)"
_AT_WORD: Final = r"(?:at|ät|arroba|arobase|chiocciola)"
_DISGUISED: Final = re.compile(
    rf"(?<![\w.%+'-])(?P<local>{_LOCAL}(?:(?:\s{_DOT_WORD}\s|\s?[\[({{<]\s?{_DOT_WORD}\s?[\])}}>]\s?)[\w-]+){{0,3}})"
    rf"(?:(?P<bracketed>\s?[\[({{<]\s?(?:{_AT_WORD}|a|@)\s?[\])}}>]\s?)|(?P<spaced>\s@\s?|@\s)|\s(?P<word>{_AT_WORD})\s)"
    rf"(?P<domain>[\w-]+(?:{_DOT}[\w-]+){{0,4}}?{_DOT}(?P<top>{_TOP}))(?![\w-])",
    re.IGNORECASE,
)
_DISGUISE: Final = re.compile(rf"\s@|@\s|[\[({{<]\s?(?:a|@)\s?[\])}}>]|(?<![^\W_]){_AT_WORD}(?![^\W_])", re.IGNORECASE)

_FILE_ENDING: Final = re.compile(
    r"png|jpe?g|gif|svg|webp|avif|ico|css|m?js|[jt]sx?|json|html?|php|woff2?", re.IGNORECASE
)
_VERSION: Final = re.compile(r"v?\d+\.\d+")
# Spelt out ("anna at example dot com") an address needs an end that people really use; "dot notation" is none.
_SPELT_TOP: Final = re.compile(
    r"com|org|net|edu|gov|io|dev|app|info|eu|me|co|example|a[tu]|b[er]|c[ahz]|d[ek]|es|f[ir]|g[br]|hu|i[ent]|jp|n[loz]|p[lt]"
    r"|ro|se|u[ks]",
    re.IGNORECASE,
)
# "available at example dot com" is a place, not a mailbox.
_NOT_A_NAME: Final = re.compile(
    r"a|about|accounts?|address|all|am|an|and|are|arrived?|available|be|been|booked|bought|browse|buy|by|check|checkout"
    r"|company|contact|customer|da|das|day|der|die|do|e?mail|error|everything|figures|for|form|found|from|gate|get|good|got"
    r"|he|help|her|him|his|host(?:ed)?|i|in|is|items?|it|know|learn|listed|live|login|look(?:ed|ing|s)?|lunch|mailbox|me"
    r"|meet(?:ing)?|more|my|new|no|not|now|offer|on|online|only|or|order(?:ed|s)?|our|out|pages?|people|placed?|post(?:ed)?"
    r"|prices?|read|regist\w+|released|sales?|saw|seen?|she|shop(?:ping)?|sign|site|sold|staff|start(?:ing)?|stay|stop(?:ped)?"
    r"|store|team|that|the|them|they|this|tickets?|time|to|up|us|use[dr]?|users|via|visit|was|we|website|were|what|which|who"
    r"|work(?:s|ing)?|you|your",
    re.IGNORECASE,
)
_MAIL_PROVIDER: Final = re.compile(
    r"(?:gmail|googlemail|hotmail|outlook|live|yahoo|icloud|proton(?:mail)?|gmx|web|aol|t-online|orange|free|yandex|mail|qq)\.",
    re.IGNORECASE,
)


def find_emails(text: str) -> Iterator[Span]:
    """E-mail addresses, plain or disguised as `anna (at) example (dot) com`; not git remotes, packages or images."""
    if "@" in text:
        for match in _PLAIN.finditer(text):
            if not _is_code(match):
                start, end = match.span()
                yield start + len(match.group()) - len(match.group().lstrip(".'-+%")), end
    if _DISGUISE.search(text):
        yield from (match.span() for match in _DISGUISED.finditer(text) if _is_a_mailbox(match))


def _is_code(match: re.Match[str]) -> bool:
    if match["local"] and match["local"].lower() in {"git", "hg"}:
        return True
    return bool(_FILE_ENDING.fullmatch(match["top"]) or _VERSION.match(match["domain"]))


def _is_a_mailbox(match: re.Match[str]) -> bool:
    local, domain = match["local"], match["domain"]
    if _FILE_ENDING.fullmatch(match["top"]) or local.isdigit():
        return False
    if match["bracketed"]:
        return True
    if _NOT_A_NAME.fullmatch(local) or not _SPELT_TOP.fullmatch(match["top"]):
        return False
    if match["spaced"] or not re.fullmatch(r"[\w.-]+", domain):
        return True
    # "jane at example.com": with a domain written as a link, only a mail provider or a marked name is convincing.
    return bool(_MAIL_PROVIDER.match(domain) or re.search(r"[\d._]", local))
