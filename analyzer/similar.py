"""Reports that say nearly the same: found when they are analysed, counted into priority, and decided together.

Each comment leaves a fingerprint (MinHash over pairs of neighbouring words, in bands), so that one indexed query finds
what is likely to be a near-copy among any number of reports; rapidfuzz then says whether it is one. A report joins the
group of the one that it is most like; groups are never merged. Reports made up for the demo never meet real ones.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db.models import F, Q
from rapidfuzz import fuzz

from analyzer import priority, reviews, roles, standing
from analyzer.models import Fingerprint, QueueItem, ReportGroup, Review, rank
from analyzer.reviews import Batch, Stale
from feedback.ids import new_id
from feedback.transactions import transact

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from feedback.models import Feedback

# Percent of the characters that two comments share in order, without case and punctuation, from which they are copies.
ALIKE: Final = 88
# Likely copies that are compared at most; more share a band only where comments are made from a template.
CANDIDATES: Final = 200
# Members that are looked through at most for one that says the same as an erased one.
HEIRS: Final = 1_000
# Members that are decided together at most.
TOGETHER: Final = 500
# What validated compares with: so many of the newest decisions, and how alike (cosine, words weighed by rarity).
RECENT: Final = 500
RELATED: Final = 0.2

_WORD: Final = re.compile(r"\w+")
_BANDS: Final = tuple(f"band_{number}" for number in range(1, 9))
_ROWS: Final = 3
_MASKS: Final = tuple(
    int.from_bytes(hashlib.blake2b(b"mask %d" % number, digest_size=8).digest(), "big")
    for number in range(len(_BANDS) * _ROWS)
)


@dataclass(frozen=True, slots=True)
class Related:
    """A decided item that is like another: a near-copy, or one with words in common, alike from 0 to 1."""

    item: QueueItem
    copy: bool
    alike: float


@dataclass(frozen=True, slots=True)
class Preview:
    """Which open near-copies would be decided together, and which must be looked at by themselves, with the reason."""

    fit: list[QueueItem]
    left_out: list[tuple[QueueItem, str]]


def mark(item: QueueItem) -> None:
    """Leave the fingerprint of what an item says, so that others find it; with a group it needs none of its own.

    For the worker, in a transaction that is committed before it calls find.
    """
    bands = _bands(item)
    if item.group_id is None and bands is not None:
        # Only a later attempt or request can find one there, made of what was said then.
        first = (item.request, item.attempts) == (1, 1)
        Fingerprint(feedback_id=item.pk, **bands).save(force_insert=first)


def find(item: QueueItem) -> None:
    """Put a marked item into the group of the report that it nearly repeats, and count it there; item follows.

    For the worker, before the analysis and in no transaction, so that of two copies analysed at the same moment the
    later one sees the other; a call that was cut short is made good by the next.
    """
    if item.group_id is None:
        bands = _bands(item)
        nearest = _nearest(item, bands) if bands is not None else None
        if nearest is None:
            return
        item.group = transact(lambda: _join(item, *nearest))
    if item.group_id is not None:
        _move_waiting(item)


def leave_group(instance: Feedback, **kwargs: Any) -> None:
    """Count a report out of its group before it is erased; its fingerprint goes to a copy that has none of its own."""
    _leave(instance)


def part(feedback: Feedback, before: Feedback) -> None:
    """Take an edited report out of the group of what it said before; its next analysis finds what it repeats now.

    For the transaction that stores the edit.
    """
    if plain(feedback.comment) == plain(before.comment):
        return
    _leave(before)
    Fingerprint.objects.filter(pk=feedback.pk).delete()
    QueueItem.objects.filter(pk=feedback.pk).update(group=None)


def others(item: QueueItem, *, limit: int = 20) -> list[QueueItem]:
    """The newest near-copies of an item, decided ones first; item.similar says how many there are."""
    if item.group_id is None:
        return []
    group = QueueItem.objects.filter(group=item.group_id).exclude(pk=item.pk)
    rows = group.select_related("feedback", "review__reviewer").defer("review__reviewer__password")
    return list(rows.order_by("status", "-received_at")[:limit])


def validated(item: QueueItem, *, limit: int = 3) -> list[Related]:
    """What people decided one by one about the items most like this one: near-copies first, then related ones.

    Related ones are looked for among the newest RECENT decisions. Costs two queries, three with a group.
    """
    alone = Review.objects.one_by_one().exclude(feedback=item.pk)
    alone = alone.filter(feedback__queue_item__synthetic=item.synthetic, feedback__queue_item__edited=False)
    in_group = alone.filter(feedback__queue_item__group=item.group_id, feedback__queue_item__review=F("pk"))
    copies = in_group.values_list("feedback", flat=True)[:limit] if item.group_id else ()
    alike = dict.fromkeys(copies, (True, 1.0))
    if len(alike) < limit:
        rows = alone.values_list("pk", "feedback__queue_item__review", "feedback", "feedback__comment")[:RECENT]
        recent = [(key, said) for made, in_force, key, said in rows if made == in_force and key not in alike]
        shares = _related(item.feedback.comment, [comment for _, comment in recent])
        best = sorted(zip(shares, recent, strict=True), key=lambda pair: -pair[0])[: limit - len(alike)]
        alike |= {key: (False, share) for share, (key, _) in best if share >= RELATED}
    items = QueueItem.objects.select_related("feedback", "review__reviewer").defer("review__reviewer__password")
    rows_by_key = items.in_bulk(list(alike))
    return [Related(rows_by_key[key], *how) for key, how in alike.items() if key in rows_by_key]


def preview(*, item: QueueItem, by: User) -> Preview:
    """What decide_all would do, most important first; reads TOGETHER members at most."""
    roles.require_reviewer(by)
    if item.group_id is None:
        return Preview([], [])
    group = QueueItem.objects.filter(group=item.group_id, status=QueueItem.Status.OPEN).exclude(pk=item.pk)
    members = group.select_related("feedback", "analysis").defer("analysis__trace").order_by("rank", "-pk")[:TOGETHER]
    judged = [(member, reviews.unfit_for_bulk(member, by=by)) for member in members]
    return Preview([member for member, why in judged if not why], [(member, why) for member, why in judged if why])


def decide_all(*, item: QueueItem, by: User, review: Review, only: Collection[UUID] | None = None) -> Batch:
    """Give the open near-copies of a decided item its category and severity, in one batch that one undo takes back.

    only: the members that the person left ticked. Those that are not fit for bulk are left out whatever was ticked.
    Raises PermissionDenied, or Stale when the decision does not count any more.
    """
    if not QueueItem.objects.filter(pk=item.pk, review=review, edited=False).exists():
        raise Stale("The decision to repeat does not count any more. Nothing was stored.")
    shown = preview(item=item, by=by)
    batch = Batch(new_id(), [], [(member.analysis, why) for member, why in shown.left_out if member.analysis])
    for member in shown.fit:
        if member.analysis is None or (only is not None and member.pk not in only):
            continue
        try:
            decided = reviews.override(
                analysis=member.analysis,
                by=by,
                category=review.category,
                severity=review.severity or None,
                batch=batch.id,
            )
        except Stale as error:
            batch.skipped.append((member.analysis, str(error)))
        else:
            batch.reviews.append(decided)
    return batch


def fingerprint(comment: str, *, made_up: bool = False) -> dict[str, int] | None:
    """Eight signed 64-bit numbers by column; None for a comment without anything in it. Well under a millisecond.

    Two comments share a number with the chance of J**3, where J is the share of neighbouring words they have in common.
    """
    words = plain(comment).split()
    if not words:
        return None
    person = b"made-up" if made_up else b""
    pairs = zip(("", *words), (*words, ""), strict=True)
    hashes = {_number(f"{one} {two}".encode(), person) for one, two in pairs}
    lowest = [min(map(mask.__xor__, hashes)).to_bytes(8, "big") for mask in _MASKS]
    return {
        band: _number(b"".join(lowest[place : place + _ROWS]), band.encode(), signed=True)
        for band, place in zip(_BANDS, range(0, len(lowest), _ROWS), strict=True)
    }


def plain(comment: str) -> str:
    """A comment without case, space and punctuation; as it is where nothing else is in it."""
    return " ".join(_WORD.findall(comment.casefold())) or comment.strip()


def _bands(item: QueueItem) -> dict[str, int] | None:
    return fingerprint(item.feedback.comment, made_up=item.synthetic)


def _number(data: bytes, person: bytes, *, signed: bool = False) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8, person=person).digest(), "big", signed=signed)


def _nearest(item: QueueItem, bands: dict[str, int]) -> tuple[UUID, float] | None:
    """The report most like this one with the percent that they share, if it is a near-copy. One query."""
    shares_a_band = reduce(or_, (Q(**{band: number}) for band, number in bands.items()))
    likely = Fingerprint.objects.filter(shares_a_band).exclude(pk=item.pk)
    text, best, nearest = plain(item.feedback.comment), float(ALIKE), None
    for key, comment in likely.values_list("pk", "feedback__comment")[:CANDIDATES]:
        alike = fuzz.ratio(text, plain(comment), score_cutoff=best)
        if alike and (nearest is None or alike > best):
            best, nearest = alike, key
    return None if nearest is None else (nearest, best)


def _join(item: QueueItem, other: UUID, alike: float) -> ReportGroup | None:
    """Make two reports members of one group, unless both have one; in a transaction. Returns the group of the first.

    None when the other one was erased meanwhile, or the first one was edited.
    """
    one = item.pk
    # Locked in one order, so that two who found each other do not each wait for the other.
    pair = QueueItem.objects.filter(pk__in=(one, other)).order_by("pk").select_for_update(no_key=True)
    rows = {key: (group, request) for key, group, request in pair.values_list("pk", "group", "request")}
    if len(rows) < 2 or rows[one][1] != item.request:
        return None
    groups = {key: group for key, (group, _) in rows.items()}
    # Of its own: a report that left a group may have been the first of that one.
    key = groups[one] or groups[other] or new_id()
    joining = [each for each, group in groups.items() if group is None]
    QueueItem.objects.filter(pk__in=joining).update(group=key)
    if len(joining) == 2:
        ReportGroup.objects.create(pk=key, size=2)
    elif joining:
        ReportGroup.objects.filter(pk=key).update(size=F("size") + 1)
    if alike == 100:
        # One fingerprint is enough for any number of exact copies; both sides would remove the same one.
        Fingerprint.objects.filter(pk=max(one, other)).delete()
    return ReportGroup.objects.get(pk=key)


def _leave(said: Feedback) -> None:
    """Count a report that said this out of its group, if it has one; the fingerprint of these words stays there."""
    # Locked before its group, as everywhere.
    item = QueueItem.objects.filter(pk=said.pk).select_for_update().first()
    if item is None or item.group_id is None:
        return
    left = ReportGroup.objects.filter(pk=item.group_id)
    left.update(size=F("size") - 1)
    left.filter(size=0).delete()
    bands = fingerprint(said.comment, made_up=item.synthetic)
    if bands is None or not Fingerprint.objects.filter(pk=item.pk).exists():
        return
    text = plain(said.comment)
    rest = QueueItem.objects.filter(group=item.group_id).exclude(pk=item.pk)
    for heir in rest.select_related("feedback").order_by("pk")[:HEIRS]:
        if plain(heir.feedback.comment) == text:
            Fingerprint.objects.get_or_create(feedback_id=heir.pk, defaults=bands)
            return


def _move_waiting(item: QueueItem) -> None:
    """Put the waiting members of an item's group where their number puts them now, each in a statement of its own."""
    if not item.similar or priority.similar_points(item.similar - 1) >= priority.SIMILAR_MAX:
        return
    members = QueueItem.objects.filter(group=item.group_id, status=QueueItem.Status.OPEN, analysis__isnull=False)
    waiting = members.exclude(pk=item.pk).select_related("feedback", "analysis", "group").defer("analysis__trace")
    for member in waiting:
        points, _ = standing.priority_of(member, None)
        if points > member.priority:
            # Only ever forward: somebody who counted more of them may have been here meanwhile.
            QueueItem.objects.filter(
                pk=member.pk, status=QueueItem.Status.OPEN, analysis=member.analysis, priority__lt=points
            ).update(priority=points, rank=rank(points, member.received_at))


def _related(comment: str, known: Sequence[str]) -> list[float]:
    """How alike each known comment is to this one: the cosine of their words, each weighed by how rare it is."""
    asked, texts = set(plain(comment).split()), [set(plain(text).split()) for text in known]
    frequency = Counter(word for words in texts for word in words)
    weight = {word: math.log(1 + (1 + len(texts)) / (1 + frequency[word])) ** 2 for word in {*frequency, *asked}}

    def length(words: set[str]) -> float:
        return math.sqrt(math.fsum(weight[word] for word in words))

    own = length(asked)
    return [
        math.fsum(weight[word] for word in asked & words) / (own * length(words)) if asked & words and own else 0.0
        for words in texts
    ]
