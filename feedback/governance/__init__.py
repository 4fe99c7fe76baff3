"""What happens to a submission before it is stored: made plain, redacted, measured, checked. Pure and offline."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from feedback.governance.compliance import Finding, Outcome, check
from feedback.governance.normalization import normalize
from feedback.governance.pii import redact, redact_url
from feedback.governance.sentiment import Sentiment, measure

__all__ = ["Assessment", "Finding", "Outcome", "Sentiment", "assess"]

_SECRET_REMOVED: Final = Finding(
    "secret",
    Outcome.FLAG,
    "A credential was in the text and has been removed; tell its owner to change it.",
)


@dataclass(frozen=True, slots=True)
class Assessment:
    """What may be stored of a submission, and what was noticed; pii counts what was replaced, by kind."""

    comment: str
    page: str
    page_title: str
    pii: dict[str, int]
    sentiment: Sentiment
    findings: tuple[Finding, ...]
    outcome: Outcome


def assess(*, comment: str, rating: int | None = None, page: str = "", page_title: str = "") -> Assessment:
    """Normalize, redact, measure and check; the texts of the answer carry no personal data that was recognised.

    Nothing is refused here: an outcome of refuse comes with a reason to show the visitor.
    """
    said = redact(normalize(comment).text)
    place = redact_url(_line(page))
    title = redact(_line(page_title))
    pii = Counter(said.counts) + Counter(place.counts) + Counter(title.counts)

    findings = check(said.text, place.text, page_title=title.text, raw=comment)
    # A session in the page's address is everyday; a credential somebody typed must be changed.
    if said.counts.get("secret") or title.counts.get("secret"):
        findings = (*findings, _SECRET_REMOVED)
    return Assessment(
        comment=said.text,
        page=place.text,
        page_title=title.text,
        pii=dict(pii),
        sentiment=measure(said.text, rating),
        findings=findings,
        outcome=max((finding.outcome for finding in findings), default=Outcome.ACCEPT),
    )


def _line(text: str) -> str:
    return " ".join(normalize(text).text.split())
