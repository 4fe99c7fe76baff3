"""What the desk thinks, put on the website's own documents, so that the site can show or use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from pymongo import UpdateOne

from analyzer.models import QueueItem
from feedback.website import Website, identity, key_of, plainly, value_at

BATCH = 1_000
_COLUMNS = ("category", "severity", "priority", "status")


@dataclass(slots=True)
class Written:
    """Items looked at, documents changed, and items whose document the website no longer has."""

    checked: int = 0
    changed: int = 0
    gone: int = 0


def write(*, website: Website, progress: Callable[[Written], None] = lambda written: None) -> Written:
    """Set what differs on the documents of analysed items; compared first, so that a repeat writes nothing.

    Nothing is kept on where it stopped: after a kill the next run finds what is missing. updatedAt is left alone, so
    the mirror does not take it for an edit. Raises Unreachable.
    """
    written, fields = Written(), settings.MONGO_MIRROR_WRITE_FIELDS
    for items in _batches(website.source):
        # By what the desk calls them, since an _id may be a document of its own, which no dict takes as a key.
        wanted = dict(items)
        updates = []
        with plainly():
            asked = {"_id": {"$in": [key_of(external_id) for external_id in wanted]}}
            found = website.collection.find(asked, projection=["_id", *fields.values()])
            for document in found:
                values = wanted.pop(identity(document["_id"]), {})
                differing = {
                    fields[name]: value for name, value in values.items() if value_at(document, fields[name]) != value
                }
                if differing:
                    updates.append(UpdateOne({"_id": document["_id"]}, {"$set": differing}))
            if updates:
                website.collection.bulk_write(updates, ordered=False)
        written.checked += len(items)
        written.changed += len(updates)
        written.gone += len(wanted)
        progress(written)
    return written


def _batches(source: str) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    items = QueueItem.objects.filter(feedback__source=source).exclude(category="").order_by("pk")
    last = None
    while True:
        behind = items if last is None else items.filter(pk__gt=last)
        rows = list(behind.values_list("pk", "feedback__external_id", *_COLUMNS)[:BATCH])
        if not rows:
            return
        last = rows[-1][0]
        yield [(row[1], dict(zip(_COLUMNS, row[2:], strict=True))) for row in rows]
