"""The list as a file: what its filters match, most important first, as CSV for people and JSON lines for programs."""

from __future__ import annotations

import csv
import json
import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypedDict

from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict, StreamingHttpResponse
from django.views.decorators.http import require_safe

from analyzer.admin import saved_views
from analyzer.models import QueueItem
from feedback import admin_base

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

log = logging.getLogger(__name__)

FORMAT: Final = "format"
CHUNK: Final = 500
# A spreadsheet takes a cell that begins like this for a formula, some in their wide forms too.
FORMULA: Final = tuple("=+-@\t\r\n＝＋－＠")


class Record(TypedDict):
    """An item with what machine and people said of it. None: not analysed, not decided, not rated, not closed."""

    id: str
    received_at: str
    synthetic: bool
    source: str
    type: str | None
    rating: int | None
    page: str | None
    comment: str
    compliance: str
    status: str
    stage: str
    category: str | None
    severity: str | None
    priority: int
    flagged: bool
    similar: int
    machine_category: str | None
    machine_severity: str | None
    category_confidence: float | None
    severity_confidence: float | None
    suggested_action: str | None
    engine: str | None
    version: int | None
    decision: str | None
    decided_by: str | None
    decided_at: str | None
    decided_action: str | None
    reward: float | None
    second_opinion: str | None
    outcome: str | None
    closed_at: str | None


class _Echo:
    """Gives back what a csv writer writes, line by line."""

    def write(self, line: str) -> str:
        return line


@require_safe
def view(request: HttpRequest, model_admin: ModelAdmin[QueueItem]) -> StreamingHttpResponse:
    """At most CAP items of the list that the other parameters name; a file that was cut off says so in its name."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    kind = request.GET.get(FORMAT, "")
    if kind not in WRITERS:
        raise BadRequest(f"{FORMAT} is one of {', '.join(WRITERS)}.")
    content_type, write = WRITERS[kind]
    request.GET = QueryDict(saved_views.clean(request.GET.urlencode()))
    changes = model_admin.get_changelist_instance(request)
    cut = f"-first-{admin_base.CAP}" if changes.paginator.capped else ""
    log.info("%s exported %d items as %s", request.user, changes.result_count, kind)
    response = StreamingHttpResponse(write(records(changes.queryset)), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="queue{cut}.{kind}"'
    response["X-Accel-Buffering"] = "no"
    return response


def records(items: QuerySet[QueueItem]) -> Iterator[Record]:
    """One flat record per item; text is as it was after redaction, there is no other."""
    return (record(item) for item in items[: admin_base.CAP].iterator(chunk_size=CHUNK))


def record(item: QueueItem) -> Record:
    """Reads nothing that the list has not selected."""
    said, analysis, review = item.feedback, item.analysis, item.review
    return {
        "id": str(item.pk),
        "received_at": _moment(item.received_at),
        "synthetic": item.synthetic,
        "source": said.source,
        "type": said.type or None,
        "rating": said.rating,
        "page": said.page or None,
        "comment": said.comment,
        "compliance": said.compliance,
        "status": item.status,
        "stage": item.stage,
        "category": item.category or None,
        "severity": item.severity or None,
        "priority": item.priority,
        "flagged": item.flagged,
        "similar": item.similar,
        "machine_category": analysis.category if analysis else None,
        "machine_severity": analysis.severity if analysis else None,
        "category_confidence": analysis.category_confidence if analysis else None,
        "severity_confidence": analysis.severity_confidence if analysis else None,
        "suggested_action": analysis.action if analysis else None,
        "engine": analysis.engine if analysis else None,
        "version": analysis.version.number if analysis else None,
        "decision": review.provenance if review else None,
        "decided_by": str(review.reviewer) if review else None,
        "decided_at": _moment(review.created_at) if review else None,
        "decided_action": (review.action or None) if review else None,
        "reward": review.reward_total if review else None,
        "second_opinion": item.second or None,
        "outcome": item.outcome or None,
        "closed_at": _moment(item.closed_at) if item.closed_at else None,
    }


def to_csv(rows: Iterator[Record]) -> Iterator[str]:
    """With a mark of UTF-8 for spreadsheets, every cell quoted, and no cell that one would compute."""
    writer = csv.writer(_Echo(), quoting=csv.QUOTE_ALL)
    yield "\ufeff"
    yield writer.writerow(Record.__annotations__)
    for row in rows:
        yield writer.writerow(cell(value) for value in row.values())


def to_jsonl(rows: Iterator[Record]) -> Iterator[str]:
    for row in rows:
        yield json.dumps(row, ensure_ascii=False) + "\n"


def cell(value: Any) -> Any:
    """What a spreadsheet shows and never runs: text that begins like a formula, behind blanks too, gets a quote."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else value
    return f"'{value}" if value.startswith(FORMULA) or value.lstrip().startswith(FORMULA) else value


WRITERS: Final[dict[str, tuple[str, Callable[[Iterator[Record]], Iterator[str]]]]] = {
    "csv": ("text/csv; charset=utf-8", to_csv),
    "jsonl": ("application/x-ndjson; charset=utf-8", to_jsonl),
}


def _moment(value: datetime) -> str:
    return value.isoformat(timespec="seconds")
