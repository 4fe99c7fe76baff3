"""What the words beside a number say it is."""

from __future__ import annotations

import re
from typing import Final

_WINDOW: Final = 32
_REFERENCE: Final = re.compile(
    r"""(?<![^\W_])(?:
        orders?(?:nr|no|id)? | bestell\w* | auftrag\w* | rechnung\w* | invoice\w* | facture | commande | pedido | ordine
      | zam[oó]wieni\w* | tickets? | case | claim | refs? | referen\w+ | r[eé]f[eé]ren\w+ | request
      | track(?:ing)? | sendung\w* | parcel | paket\w* | shipment | consignment
      | isbn(?:-1[03])? | issn | ean | gtin | upc | sku | asin | imei | iccid | sim | serial\w* | seriennummer
      | part | articles? | artikel\w* | items? | product | produkt\w* | model | modell
      | build | version | release | commit | id | uuid | timestamp | epoch | date | coordinates? | lat | lon | lng
      | accounts? | konto\w* | user | userid | customer | kunden\w* | member\w* | mitglied\w*
      | vouchers? | coupons? | gutschein\w* | licen[cs]e | policy | contract | vertrag\w* | price | total
      | booking | buchung\w* | reservation | flight | seat | room | extension | video | photo | lottery
    )(?![^\W_])""",
    re.IGNORECASE | re.VERBOSE,
)
# A full stop that ends a sentence, not one that shortens "number".
_STOP: Final = re.compile(r"(?<!\bno)(?<!\bnr)(?<!\bnum)(?<!\bref)[.!?](?:\s|$)", re.IGNORECASE)


def names_a_thing(text: str, start: int, unless: re.Pattern[str] | None = None) -> bool:
    """Whether the words just before `start`, in the same sentence, announce an order, a ticket, an article or the like.

    A match of `unless` that stands nearer to `start` wins: "call me about order 12, phone 202 555 0143".
    """
    before = text[max(0, start - _WINDOW) : start]
    last_stop = max((match.end() for match in _STOP.finditer(before)), default=0)
    before = before[last_stop:]
    reference = max((match.start() for match in _REFERENCE.finditer(before)), default=-1)
    if reference < 0:
        return False
    if unless is None:
        return True
    return max((match.start() for match in unless.finditer(before)), default=-1) < reference


def announced(text: str, span: tuple[int, int], words: re.Pattern[str], before: int = 48, after: int = 24) -> bool:
    """Whether `words` occur at most `before` characters ahead of the span or `after` characters behind it."""
    start, end = span
    return bool(words.search(text, max(0, start - before), start) or words.search(text, end, end + after))
