"""IP addresses, told from versions, times and numbered headings."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from feedback.governance.finders.reading import Span

_V4: Final = re.compile(r"(?<![\w.,-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)")
_V6: Final = re.compile(
    r"(?<![\w:.])(?=[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:])[0-9A-Fa-f:]{2,39}(?:(?<=:)\d{1,3}(?:\.\d{1,3}){3})?(?![\w:]|\.\d)"
)
_V6_BEGINS: Final = re.compile(r"2[0-9a-f]{3}:|fe[89ab][0-9a-f]:|f[cd][0-9a-f]{2}:", re.IGNORECASE)
_PRODUCT: Final = re.compile(
    r"(?:(?<![^\W\d_])(?:v|ver|version|versions?nummer|release[ds]?|build|firmware|driver|treiber|patch|update|upgraded?"
    r"|downgraded?|section|chapter|kapitel|abschnitt|lesson|step|clause|article|paragraph|figure|pages?|rule|oid|sdk"
    r"|chrome|firefox|safari|edge|opera|ios|ipados|android|macos|windows|linux|ubuntu|php|python|java|node|net|django|app)"
    r"(?:\s(?:from|to|no\.?|number))?[\s:#]{0,2}|[^\W\d_]/|§\s?)$",
    re.IGNORECASE,
)
_NETWORK: Final = (
    r"(?:ips?|ipv[46]|ip-\w+|addr|address(?:es)?|adress\w*|direcci[óo]n|hosts?|servers?|servidor|serveur|clients?|proxy|vpn"
    r"|dns|ping\w*|firewall|subnet|gateway|router|login|logged|connect\w*|visitors?|remote\w*|forwarded|block\w*|denied"
    r"|banned|from)"
)
_JUST_BEFORE: Final = re.compile(
    rf"(?:(?<![^\W_]){_NETWORK}\W{{1,4}}(?:[a-z]{{1,8}}\W{{1,3}}){{0,2}}|://|://\S{{0,40}}@)$", re.IGNORECASE
)
_JUST_AFTER: Final = re.compile(
    rf"\W{{1,3}}(?:is\s|was\s)?{_NETWORK}(?![^\W_])|:\d{{2,5}}(?!\d)|/\d\d?(?![\d/.])", re.IGNORECASE
)


def find_ip_addresses(text: str) -> Iterator[Span]:
    """IPv4 and IPv6 addresses that may tell who or where somebody is.

    Loopback, unspecified, multicast and netmask addresses stay: they are the same on every machine, and a bug report
    is unreadable without them. Private ranges are redacted, because they describe somebody's network.
    """
    yield from (match.span() for match in _V4.finditer(text) if _identifies(match.group()) and _is_v4(text, match))
    if text.count(":") >= 2:
        yield from (match.span() for match in _V6.finditer(text) if _identifies(match.group()) and _is_v6(text, match))


def _identifies(found: str) -> bool:
    try:
        address = ipaddress.ip_address(found)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_multicast or found.startswith("255."))


def _is_v4(text: str, match: re.Match[str]) -> bool:
    if _PRODUCT.search(text, max(0, match.start() - 32), match.start()):
        return False
    # Small numbers read like a version or a numbered heading, unless the words beside them are about a network.
    return any(int(part) >= 100 for part in match.group().split(".")) or _is_called_an_address(text, match)


def _is_called_an_address(text: str, match: re.Match[str]) -> bool:
    before = _JUST_BEFORE.search(text, max(0, match.start() - 48), match.start())
    return bool(before or _JUST_AFTER.match(text, match.end()))


def _is_v6(text: str, match: re.Match[str]) -> bool:
    groups = [group for group in match.group().split(":") if group]
    if not any(character.isdigit() for character in match.group()):
        return False
    if len(groups) == 8 and all(len(group) <= 2 for group in groups):
        return False  # a fingerprint or an EUI-64, not an address
    # "a::1" may be code; a network's usual beginning, a third group or the words around it settle it.
    telling = len(groups) > 2 or "." in groups[-1] or _V6_BEGINS.match(match.group()) is not None
    return telling or _is_called_an_address(text, match)
