"""The website's collection mirrored into Feedback: incremental, idempotent, resumable after a kill at any point.

Only what the source says is ever written here; what the desk thinks of it belongs to analyzer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DataError, IntegrityError
from django.utils import timezone

from feedback import intake
from feedback.forms import FeedbackForm
from feedback.governance.pii import redact
from feedback.models import Feedback, SyncProblem, SyncState
from feedback.transactions import transact
from feedback.website import EXTERNAL_ID_MAX, BadDocument, Document, Stream, Website, identity, read

# A change stream tells of every change; a pass now and then keeps the cursor young and needs no trust in it.
_PASS_SECONDS = 600.0
_REASON_MAX = 300


@dataclass(slots=True)
class Tally:
    """What a read did: documents read, and what became of them."""

    read: int = 0
    stored: int = 0
    revised: int = 0
    unchanged: int = 0
    bad: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.read + other.read,
            self.stored + other.stored,
            self.revised + other.revised,
            self.unchanged + other.unchanged,
            self.bad + other.bad,
        )


def begin(*, website: Website, reset: bool = False) -> SyncState:
    """The state to read on from: where an unfinished pass stopped, else a new pass; reset reads everything again.

    A new pass goes back to where documents might still have come in late, and no further.
    """
    state, _ = SyncState.objects.get_or_create(source=website.source)
    if reset:
        state = SyncState(source=website.source)
    if state.began_at is None:
        now = website.now()
        if state.cursor_at is not None and (state.settled_at is None or state.settled_at < state.cursor_at):
            state.cursor_at, state.cursor_id = state.settled_at, ""
        state.began_at, state.undated_id = now, ""
    state.save()
    return state


def catch_up(
    *,
    website: Website,
    limit: int | None = None,
    reset: bool = False,
    progress: Callable[[Tally], None] = lambda tally: None,
) -> Tally:
    """One pass over what is new or changed; with limit it stops after so many documents and goes on there next time."""
    state, now, total = begin(website=website, reset=reset), website.now(), Tally()
    dated = website.dated(after=state.cursor_at, after_id=state.cursor_id)
    undated = website.undated(after_id=state.undated_id)
    for batches in (dated, undated):
        for documents in batches:
            part = documents if limit is None else documents[: limit - total.read]

            def take(part: list[Document] = part, at_date: bool = batches is dated) -> Tally:
                tally = _take(website, part)
                if at_date:
                    _advance(state, website, part, now)
                else:
                    state.undated_id = next(
                        (key for key in _keys(reversed(part)) if len(key) <= EXTERNAL_ID_MAX), state.undated_id
                    )
                state.save(update_fields=("cursor_at", "cursor_id", "undated_id"))
                return tally

            # A second reader of the same collection may have stored the same documents meanwhile.
            tally = transact(take, again_on=(IntegrityError,))
            total += tally
            progress(tally)
            if limit is not None and total.read >= limit:
                return total
    _finish(state)
    return total


def follow(*, website: Website) -> Iterator[Tally]:
    """Catch up, then yield what came in, often nothing, for ever: by change stream where there is one, else by passes.

    Each step is stored before it is yielded, so the caller may stop anywhere. Raises Unreachable.
    """
    state, _ = SyncState.objects.get_or_create(source=website.source)
    stream = website.stream(state.stream_token)
    try:
        while True:
            yield catch_up(website=website)
            until = time.monotonic() + _PASS_SECONDS
            while stream is not None and time.monotonic() < until:
                yield _take_events(website, stream)
            if stream is None:
                time.sleep(settings.MONGO_MIRROR_POLL_SECONDS)
    finally:
        if stream is not None:
            stream.close()


def _take_events(website: Website, stream: Stream) -> Tally:
    documents = stream.take()

    def take() -> Tally:
        tally = _take(website, documents)
        SyncState.objects.filter(source=website.source).update(stream_token=stream.token)
        return tally

    return transact(take, again_on=(IntegrityError,)) if documents else Tally()


def _take(website: Website, documents: list[Document]) -> Tally:
    """Store or revise each document; one that is no submission is noted and costs itself only."""
    source, tally = website.source, Tally(read=len(documents))
    keys = _keys(documents)
    known = {row.external_id: row for row in Feedback.objects.filter(source=source, external_id__in=keys)}
    new: dict[str, Feedback] = {}
    bad: dict[str, Exception] = {}

    def store() -> None:
        stored = _store(new, bad)
        tally.stored += len(stored)
        known.update(stored)
        new.clear()

    for key, document in zip(keys, documents, strict=True):
        if key in new:
            # A document that is edited while it is read may come twice, in one batch too.
            store()
        try:
            submission = read(document)
            form = FeedbackForm(submission.data)
            if key in known:
                changed = intake.revise(feedback=known[key], form=form)
                tally.revised += changed
                tally.unchanged += not changed
            else:
                new[key] = intake.compose(form=form, source=source, external_id=key, received_at=submission.received_at)
            bad.pop(key, None)
        except (BadDocument, intake.Refused, DataError) as error:
            bad[key] = error
    store()
    for key, reason in bad.items():
        _note(source, key, reason)
    tally.bad = tally.read - tally.stored - tally.revised - tally.unchanged
    SyncProblem.objects.filter(source=source, external_id__in=set(keys) - set(bad)).delete()
    return tally


def _store(rows: dict[str, Feedback], bad: dict[str, Exception]) -> dict[str, Feedback]:
    """Store new rows together, or one by one where the database refuses a value; those it refuses go to bad."""
    if not rows:
        return {}
    try:
        intake.store(rows=list(rows.values()))
    except DataError as error:
        if len(rows) == 1:
            bad.update(dict.fromkeys(rows, error))
            return {}
        stored: dict[str, Feedback] = {}
        for key, row in rows.items():
            stored |= _store({key: row}, bad)
        return stored
    return dict(rows)


def _keys(documents: Iterable[Document]) -> list[str]:
    return [identity(document["_id"]) for document in documents]


def _note(source: str, key: str, error: Exception) -> None:
    # A form's error may quote what it refuses, and that is a visitor's text like any other.
    reason = redact(str(error)[: 4 * _REASON_MAX]).text[:_REASON_MAX]
    SyncProblem.objects.update_or_create(
        source=source, external_id=key[:EXTERNAL_ID_MAX], defaults={"reason": reason, "seen_at": timezone.now()}
    )


def _advance(state: SyncState, website: Website, documents: list[Document], now: datetime) -> None:
    """Move the cursor to the last document that is not from the future: past such a one nothing would be found."""
    for document in reversed(documents):
        moment, key = website.updated_at(document), identity(document["_id"])
        if moment is not None and moment <= now and len(key) <= EXTERNAL_ID_MAX:
            state.cursor_at, state.cursor_id = moment, key
            return


def _finish(state: SyncState) -> None:
    if state.began_at is not None:
        state.settled_at = state.began_at - timedelta(seconds=settings.MONGO_MIRROR_OVERLAP_SECONDS)
    state.began_at, state.undated_id = None, ""
    state.save(update_fields=("settled_at", "began_at", "undated_id"))
