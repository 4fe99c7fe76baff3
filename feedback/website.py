"""The website's own MongoDB collection: reached as the settings say, and its documents read as submissions."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from bson import Decimal128, ObjectId, json_util
from bson.codec_options import CodecOptions, DatetimeConversion
from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from pymongo import ASCENDING, MongoClient
from pymongo.collection import Collection
from pymongo.cursor import Cursor
from pymongo.errors import ConfigurationError, ConnectionFailure, OperationFailure, PyMongoError

FIELDS: Final = ("type", "rating", "comment", "page", "page_title", "viewport")
EXTERNAL_ID_MAX: Final = 200
SOURCE_MAX: Final = 60
BATCH: Final = 250

Document = dict[str, Any]

# One odd date or letter must cost its own document at most, not the whole read.
_CODEC: Final[CodecOptions[Document]] = CodecOptions(
    tz_aware=True,
    tzinfo=UTC,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
    unicode_decode_error_handler="replace",
)
_NO_DATES: Final = ("string", "number", "bool", "object", "array", "objectId", "binData", "timestamp")
_NOT_AUTHORIZED: Final = 13
_WRONG_PASSWORD: Final = 18
_NO_STREAMS_WITHOUT_REPLICA_SET: Final = 40573


class Unreachable(Exception):
    """The website's database cannot be used; the message is one line that says why, without secrets."""


class BadDocument(ValueError):
    """A document that is no submission; the message says what is wrong and what would be right."""


@dataclass(frozen=True, slots=True)
class Submission:
    """One document: its identity, what FeedbackForm reads, and when it came."""

    external_id: str
    data: dict[str, str]
    received_at: datetime


class Website:
    """One collection of the website; everything raises Unreachable when the server will not."""

    def __init__(self, collection: Collection[Document]) -> None:
        self.collection = collection.with_options(codec_options=_CODEC)
        self.source = _source(f"mongo:{collection.full_name}")
        self._updated_at: str = settings.MONGO_MIRROR_FIELDS["updated_at"]

    def now(self) -> datetime:
        """The server's clock, which is nearer to the one that wrote updatedAt than ours."""
        with plainly():
            moment = self.collection.database.command("hello", codec_options=_CODEC).get("localTime")
        return moment if isinstance(moment, datetime) else timezone.now()

    def count(self, *, after: datetime | None) -> int:
        """How many documents a pass from here will read, about."""
        with plainly():
            return self.collection.count_documents(self._dated(after, "")) + self.collection.count_documents(
                self._undated("")
            )

    def dated(self, *, after: datetime | None, after_id: str) -> Iterator[list[Document]]:
        """Documents in the order (updatedAt, _id) behind a position, in batches; with no id the moment is included."""
        order = [(self._updated_at, ASCENDING), ("_id", ASCENDING)]
        return self._batches(self._find(self._dated(after, after_id)).sort(order))

    def undated(self, *, after_id: str) -> Iterator[list[Document]]:
        """Documents whose updatedAt is missing or no date, by _id: they have no place in the order of changes."""
        return self._batches(self._find(self._undated(after_id)).sort([("_id", ASCENDING)]))

    def stream(self, token: str) -> Stream | None:
        """Changes from now on, or from a token on; None where the server has none (no replica set)."""
        events = [{"$match": {"operationType": {"$in": ["insert", "update", "replace"]}}}]
        with plainly():
            for resume_after in (json_util.loads(token) if token else None, None):
                try:
                    return Stream(
                        self.collection.watch(
                            events,
                            full_document="updateLookup",
                            max_await_time_ms=500,
                            batch_size=BATCH,
                            resume_after=resume_after,
                        )
                    )
                except OperationFailure as error:
                    if error.code == _NO_STREAMS_WITHOUT_REPLICA_SET:
                        return None
                    # A token is only good for the server and the history that it came from.
                    if resume_after is None or error.code == _NOT_AUTHORIZED:
                        raise
        return None

    def updated_at(self, document: Document) -> datetime | None:
        """The document's place in the order of changes, if it has one that a calendar knows."""
        value = value_at(document, self._updated_at)
        return value if isinstance(value, datetime) else None

    def _find(self, query: dict[str, Any]) -> Cursor[Document]:
        wanted = ["_id", *settings.MONGO_MIRROR_FIELDS.values()]
        return self.collection.find(query, projection=wanted, batch_size=BATCH, allow_disk_use=True)

    def _batches(self, cursor: Cursor[Document]) -> Iterator[list[Document]]:
        with cursor:
            while True:
                with plainly():
                    documents = list(islice(cursor, BATCH))
                if not documents:
                    return
                yield documents

    def _dated(self, after: datetime | None, after_id: str) -> dict[str, Any]:
        if after is None:
            return {self._updated_at: {"$type": "date"}}
        if not after_id:
            return {self._updated_at: {"$gte": after}}
        return {"$or": [{self._updated_at: {"$gt": after}}, {self._updated_at: after} | _behind(after_id)]}

    def _undated(self, after_id: str) -> dict[str, Any]:
        # Spelt out by type, so that an index on updatedAt serves it: "not a date" would read the whole collection.
        other = {"$or": [{self._updated_at: None}, {self._updated_at: {"$type": list(_NO_DATES)}}]}
        return {"$and": [other, _behind(after_id)]} if after_id else other


class Stream:
    """Changes as they happen."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def take(self) -> list[Document]:
        """What changed since the last call, at most a batch, each document once; waits half a second for a first."""
        if not self._stream.alive:
            raise Unreachable("The website's collection was dropped or renamed, which ended its change stream.")
        changed: dict[str, Document] = {}
        with plainly():
            for _ in range(BATCH):
                event = self._stream.try_next()
                if event is None:
                    break
                # A document that was deleted meanwhile has no text to look up.
                if event.get("fullDocument"):
                    changed[identity(event["documentKey"]["_id"])] = event["fullDocument"]
        return list(changed.values())

    @property
    def token(self) -> str:
        """Where to go on after a restart."""
        return str(json_util.dumps(self._stream.resume_token)) if self._stream.resume_token else ""

    def close(self) -> None:
        self._stream.close()


def connect() -> Website:
    """The collection that MONGO_MIRROR_URL and MONGO_MIRROR_COLLECTION name; asks the server whether it is there."""
    url = settings.MONGO_MIRROR_URL
    if not url:
        raise Unreachable("MONGO_MIRROR_URL is not set: use mongodb://user:password@host/database?collection=feedback.")
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    name = options.pop("collection", "") or settings.MONGO_MIRROR_COLLECTION
    database_name = unquote(parts.path.removeprefix("/"))
    if parts.scheme not in ("mongodb", "mongodb+srv") or not database_name or not name:
        raise Unreachable(
            "MONGO_MIRROR_URL must be mongodb://host/database?collection=name; the collection may also stand in "
            "MONGO_MIRROR_COLLECTION."
        )
    options = {"serverSelectionTimeoutMS": "10000", "appName": "feedback-triage"} | options
    with plainly():
        client: MongoClient[Document] = MongoClient(
            urlunsplit(parts._replace(query=urlencode(options))), uuidRepresentation="standard", tz_aware=True
        )
        database = client.get_database(database_name)
        database.command("ping")
        try:
            there = database.list_collection_names()
        except OperationFailure as error:
            if error.code != _NOT_AUTHORIZED:
                raise
            # Somebody who may read only this collection may not list them; the first read will tell.
            there = [name]
    if name not in there:
        shown = ", ".join(sorted(there)[:10]) or "none at all"
        raise Unreachable(f"The website's database {database_name!r} has no collection {name!r}; it has {shown}.")
    return Website(database[name])


def read(document: Document) -> Submission:
    """What a document says, as a form would have sent it. Raises BadDocument."""
    fields: Mapping[str, str] = settings.MONGO_MIRROR_FIELDS
    external_id = identity(document["_id"])
    if len(external_id) > EXTERNAL_ID_MAX:
        raise BadDocument(f"the _id is longer than {EXTERNAL_ID_MAX} characters")
    data = {name: _text(name, value_at(document, fields[name])) for name in FIELDS}
    return Submission(external_id, data, _received_at(document, fields))


def identity(key: Any) -> str:
    """A document's _id as text that leads back to it: an ObjectId as its hex digits, text as itself, others as JSON."""
    if isinstance(key, ObjectId):
        return str(key)
    if isinstance(key, str) and not re.fullmatch(r'[0-9a-f]{24}|["{].*|.*\0.*', key, re.DOTALL):
        return key
    return str(json_util.dumps(key, json_options=json_util.CANONICAL_JSON_OPTIONS))


def key_of(external_id: str) -> Any:
    """The _id that identity made this text of."""
    if re.fullmatch(r"[0-9a-f]{24}", external_id):
        return ObjectId(external_id)
    if external_id[:1] in '"{':
        return json_util.loads(external_id, json_options=json_util.CANONICAL_JSON_OPTIONS)
    return external_id


def _behind(external_id: str) -> dict[str, Any]:
    # As an expression the comparison spans types, as the sort order does; as a filter it would only see its own.
    return {"$expr": {"$gt": ["$_id", {"$literal": key_of(external_id)}]}}


def _source(name: str) -> str:
    if len(name) <= SOURCE_MAX:
        return name
    return f"{name[: SOURCE_MAX - 9]}~{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def value_at(document: Document, path: str) -> Any:
    """What stands at a dotted path, or None."""
    value: Any = document
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _text(name: str, value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, Decimal128):
        value = value.to_decimal()
    if name == "viewport" and isinstance(value, dict) and {"width", "height"} <= value.keys():
        return f"{_text(name, value['width'])}x{_text(name, value['height'])}"
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise BadDocument(f"{name} must be text or a number, not {type(value).__name__}")
    # Numbers that JavaScript wrote are doubles: 4 stars come as 4.0.
    return str(value).removesuffix(".0")


def _received_at(document: Document, fields: Mapping[str, str]) -> datetime:
    value = value_at(document, fields["received_at"])
    if isinstance(value, str):
        try:
            value = parse_datetime(value)
        except ValueError:
            value = None
        if value is None:
            raise BadDocument(f"{fields['received_at']} is no time such as 2026-11-23T09:00:00Z")
        return value if timezone.is_aware(value) else timezone.make_aware(value)
    if isinstance(value, datetime):
        return value
    if value is not None:
        raise BadDocument(f"{fields['received_at']} must be a date, not {type(value).__name__}")
    if isinstance(document["_id"], ObjectId):
        return document["_id"].generation_time
    return timezone.now()


@contextmanager
def plainly() -> Iterator[None]:
    """Turn the driver's errors into one line each."""
    try:
        yield
    except OperationFailure as error:
        said = str((error.details or {}).get("errmsg") or error)[:200]
        if error.code == _WRONG_PASSWORD:
            raise Unreachable("The website's MongoDB refuses the name or password in MONGO_MIRROR_URL.") from error
        if error.code == _NOT_AUTHORIZED:
            raise Unreachable(f"The user in MONGO_MIRROR_URL lacks a right: {said}.") from error
        raise Unreachable(f"The website's MongoDB refuses: {said}.") from error
    except ConnectionFailure as error:
        raise Unreachable(f"The website's MongoDB does not answer: {str(error).split(' (', 1)[0][:200]}.") from error
    except ConfigurationError as error:
        raise Unreachable(f"MONGO_MIRROR_URL cannot be used: {str(error)[:200]}.") from error
    except (PyMongoError, ValueError) as error:
        raise Unreachable(f"MONGO_MIRROR_URL or the server behind it fails: {str(error)[:200]}.") from error
