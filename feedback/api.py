"""POST /api/feedback/: a submission as JSON, for programs and for the widget; no cookies, no session."""

from __future__ import annotations

import json
import logging
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt

from feedback import client, intake, limits, outages
from feedback.forms import FeedbackForm
from feedback.models import Feedback

logger = logging.getLogger(__name__)

SOURCES: Final = ("api", "widget")
FIELDS: Final = (*FeedbackForm.base_fields, "source")
KEY_MAX: Final = 200
METHODS: Final = "POST, OPTIONS"
PREFLIGHT_SECONDS: Final = 24 * 3600

Errors = dict[str, list[str]]


# A cookie never decides anything here, so there is nothing that a forged request could borrow.
@csrf_exempt
def receive(request: HttpRequest) -> HttpResponse:
    """Answers one request; every error is {"errors": {what: [sentences]}}, naming a field, a header or "body"."""
    origin = request.headers.get("Origin", "")
    allowed = _allowed_origin(origin, request)
    response: HttpResponse
    if origin and not allowed:
        response = _refuse(403, {"Origin": ["Pages of this origin may not send feedback here."]})
    elif request.method == "OPTIONS":
        response = HttpResponse(status=204)
        response["Access-Control-Allow-Methods"] = "POST"
        response["Access-Control-Allow-Headers"] = "Content-Type, Idempotency-Key"
        response["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
    elif request.method == "POST":
        response = _submit_or_explain(request)
    else:
        response = _refuse(405, {"method": [f"Use POST, not {request.method}."]})
    if response.status_code in (204, 405):
        response["Allow"] = METHODS
    if allowed:
        response["Access-Control-Allow-Origin"] = allowed
        response["Access-Control-Expose-Headers"] = "Retry-After"
    patch_vary_headers(response, ("Origin",))
    return response


def _submit_or_explain(request: HttpRequest) -> JsonResponse:
    """503 while the database cannot work. What was stored although no answer came is found again by its key."""
    try:
        return _submit(request)
    except Exception as error:
        if not outages.is_one(error):
            raise
        logger.exception("a submission could not be stored")
        return outages.mark(_refuse(503, {"database": [outages.SENTENCE]}))


def _submit(request: HttpRequest) -> JsonResponse:
    if request.content_type != "application/json":
        return _refuse(415, {"Content-Type": ["Send the submission as application/json."]})
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= KEY_MAX and key.isascii() and key.isprintable()):
        return _refuse(400, {"Idempotency-Key": [f"A key has 1 to {KEY_MAX} printable ASCII characters."]})
    client_key = client.daily_key(request)
    if wait := limits.check(client_key):
        response = _refuse(429, {"client": [limits.explain(wait)]})
        response["Retry-After"] = str(wait)
        return response
    try:
        source, data = _read(request.body)
        receipt = intake.receive(form=FeedbackForm(data), source=source, external_id=key, client_key=client_key)
    except RequestDataTooBig:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        return _refuse(413, {"body": [f"The body has more than {limit:,} bytes."]})
    except intake.Refused as refused:
        return _refuse(400, refused.errors)
    if not receipt.same:
        return _refuse(
            409, {"Idempotency-Key": ["This key was used before, for a submission that said something else."]}
        )
    return JsonResponse({"id": str(receipt.feedback.pk), "status": _status(receipt.feedback)}, status=202)


def _read(body: bytes) -> tuple[str, dict[str, str]]:
    """The source, and the fields as a form would have sent them; raises Refused for what only JSON can say."""
    try:
        fields = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise intake.Refused({"body": ["The body is not JSON in UTF-8."]}) from None
    if not isinstance(fields, dict):
        raise intake.Refused({"body": ['The body must be an object such as {"rating": 4, "comment": "…"}.']})
    source = fields.pop("source", "api")
    errors = {name: [problem] for name, value in fields.items() if (problem := _problem(name, value))}
    if source not in SOURCES:
        errors["source"] = [f"The source is one of: {', '.join(SOURCES)}."]
    if errors:
        raise intake.Refused(errors)
    return source, {name: "" if value is None else str(value) for name, value in fields.items()}


def _problem(name: str, value: Any) -> str:
    """Why this value cannot be a field's, or ""; never repeats the value, which may be private."""
    if name not in FIELDS:
        return f"There is no such field. The fields are: {', '.join(FIELDS)}."
    if value is None or name == "rating":
        # A rating may be a number; the form refuses what is written like no star.
        return ""
    if not isinstance(value, str):
        return "This must be text."
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return "This contains half of a character (a lone surrogate)."
    return ""


def _allowed_origin(origin: str, request: HttpRequest) -> str:
    """What to answer a page of this origin with, "" when it may not send; our own pages always may."""
    named = {known.rstrip("/").lower() for known in settings.API_ALLOWED_ORIGINS}
    if not origin:
        return ""
    if "*" in named:
        return "*"
    ours = f"{request.scheme}://{request.get_host()}"
    return origin if origin.lower() in named | {ours} else ""


def _status(feedback: Feedback) -> str:
    return "held" if feedback.compliance == "hold" else "accepted"


def _refuse(status: int, errors: Errors) -> JsonResponse:
    return JsonResponse({"errors": errors}, status=status)
