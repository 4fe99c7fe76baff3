"""A fine-tuning API in OpenAI's protocol: files, one job, its events. Every fault is a sentence for staff.

Each method asks once. Unreachable means that asking again may help, watch.Unusable that it would not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO, Final, Literal, TypeVar
from urllib.parse import urlsplit

import httpx
import openai
from pydantic import BaseModel, Field, ValidationError

from training.watch import Unusable

# Seconds. Answers are short; an upload is as long as its file, and is looked through before it is answered.
TIMEOUT: Final = httpx.Timeout(6.0, connect=5.0)
UPLOAD_TIMEOUT: Final = httpx.Timeout(120.0, connect=5.0)
# Of what the API says about a fault, what is shown.
SAID_CHARS: Final = 300
# Jobs, files and events that are looked through for ours: it is among the newest, or not there.
LOOKED_THROUGH: Final = 100
PURPOSE: Final = "fine-tune"
# Codes of HTTP 429 that no waiting helps.
SPENT: Final = frozenset({"insufficient_quota", "billing_hard_limit_reached"})

BodyT = TypeVar("BodyT", bound=BaseModel)


class Unreachable(Exception):
    """No answer that says anything; the message is a sentence for staff."""


class Gone(Unusable):
    """The API knows no such job, file or model."""


class Problem(BaseModel):
    code: str | None = None
    message: str | None = None


class Job(BaseModel):
    """What we read of a job; openai's own classes take any shape without a word."""

    id: str
    status: str
    model: str = ""
    fine_tuned_model: str | None = None
    trained_tokens: int | None = None
    error: Problem | None = None
    metadata: dict[str, str] | None = None

    @property
    def ended(self) -> bool:
        return self.status in ("succeeded", "failed", "cancelled")

    @property
    def complaint(self) -> str:
        """Why it failed, in the API's words."""
        said = self.error.message if self.error else None
        return shorten(said or "") or "the API gave no reason"


class Event(BaseModel):
    id: str
    message: str = ""
    level: str = "info"


class File(BaseModel):
    id: str
    filename: str = ""


class _Files(BaseModel):
    data: list[File] = Field(default_factory=list)


class _Jobs(BaseModel):
    data: list[Job] = Field(default_factory=list)


class _Events(BaseModel):
    data: list[Event] = Field(default_factory=list)


class _Nothing(BaseModel):
    """An answer of which only the status matters."""


class API:
    """The API behind a URL; an empty one is OpenAI's own."""

    def __init__(self, *, base_url: str, api_key: str) -> None:
        self.name = where(base_url)
        self._key = api_key
        self._client = openai.OpenAI(
            base_url=base_url or None,
            api_key=api_key or "unset",
            # Repeated blindly, an upload is stored twice and a job is paid for twice.
            max_retries=0,
            timeout=TIMEOUT,
            # A redirect would carry what visitors wrote to a host that nobody configured.
            http_client=openai.DefaultHttpxClient(follow_redirects=False),
        )

    def upload(self, name: str, file: BinaryIO) -> str:
        """The id of the stored file."""
        file.seek(0)
        return self._ask(
            File,
            self._client.files.with_raw_response.create,
            file=(name, file, "application/jsonl"),
            purpose=PURPOSE,
            timeout=UPLOAD_TIMEOUT,
        ).id

    def files(self, prefix: str) -> list[str]:
        """Ids of the newest files whose name begins so."""
        listed = self._ask(
            _Files,
            self._client.files.with_raw_response.list,
            purpose=PURPOSE,
            limit=LOOKED_THROUGH,
            order="desc",
        )
        return [file.id for file in listed.data if file.filename.startswith(prefix)]

    def delete(self, file: str) -> None:
        self._ask(_Nothing, self._client.files.with_raw_response.delete, file)

    def create(
        self,
        *,
        model: str,
        training: str,
        validation: str | None,
        method: Literal["supervised", "preference"],
        epochs: int,
        seed: int,
        suffix: str,
        mark: str,
    ) -> Job:
        """Start a job; mark finds it again when the answer gets lost."""
        kind: Literal["supervised", "dpo"] = "dpo" if method == "preference" else "supervised"
        return self._ask(
            Job,
            self._client.fine_tuning.jobs.with_raw_response.create,
            model=model,
            training_file=training,
            method={"type": kind, kind: {"hyperparameters": {"n_epochs": epochs}}},
            seed=seed,
            suffix=suffix,
            metadata={"run": mark},
            **({"validation_file": validation} if validation else {}),
        )

    def find(self, mark: str) -> Job | None:
        """The job with this mark, among the newest."""
        listed = self._ask(_Jobs, self._client.fine_tuning.jobs.with_raw_response.list, limit=LOOKED_THROUGH)
        return next((job for job in listed.data if (job.metadata or {}).get("run") == mark), None)

    def job(self, job: str) -> Job:
        return self._ask(Job, self._client.fine_tuning.jobs.with_raw_response.retrieve, job)

    def cancel(self, job: str) -> Job:
        return self._ask(Job, self._client.fine_tuning.jobs.with_raw_response.cancel, job)

    def events(self, job: str, *, after: str = "") -> list[Event]:
        """What happened since an event, oldest first; of more than LOOKED_THROUGH the newest."""
        listed = self._ask(
            _Events, self._client.fine_tuning.jobs.with_raw_response.list_events, job, limit=LOOKED_THROUGH
        )
        # The API tells the newest first.
        news: list[Event] = []
        for event in listed.data:
            if event.id == after:
                break
            news.append(event)
        return news[::-1]

    def check(self) -> None:
        """Whether there is a fine-tuning API that takes our key; costs nothing and sends nothing."""
        self._ask(_Jobs, self._client.fine_tuning.jobs.with_raw_response.list, limit=1)

    def _ask(self, kind: type[BodyT], request: Callable[..., Any], *args: Any, **values: Any) -> BodyT:
        """from None throughout: a cause may quote the request, which holds what visitors wrote."""
        try:
            content = request(*args, **values).content
        except openai.APIStatusError as error:
            raise self._fault(error) from None
        except openai.APITimeoutError:
            raise Unreachable(f"{self.name} did not answer in time.") from None
        except openai.APIConnectionError:
            raise Unreachable(f"{self.name} could not be reached.") from None
        except (openai.OpenAIError, httpx.HTTPError, httpx.InvalidURL, ValueError):
            raise Unusable(f"{self.name} cannot be asked: check OPENAI_BASE_URL and OPENAI_API_KEY.") from None
        try:
            return kind.model_validate_json(content)
        except ValidationError:
            raise Unreachable(f"{self.name} sent something else than a fine-tuning API does.") from None

    def _fault(self, error: openai.APIStatusError) -> Exception:
        status, body = error.status_code, error.body
        said = shorten(str(body.get("message") or "")) if isinstance(body, dict) else ""
        if self._key:
            said = said.replace(self._key, "…")
        words = f": {said}" if said else "."
        code = body.get("code") if isinstance(body, dict) else None
        if status == 429 and code not in SPENT:
            return Unreachable(f"{self.name} asked us to slow down (HTTP 429){words}")
        if status >= 500 or status in (408, 409):
            return Unreachable(f"{self.name} is out of order (HTTP {status}){words}")
        advice = {
            401: "did not accept the key; check OPENAI_API_KEY",
            403: "does not let this key fine-tune; check OPENAI_API_KEY and its permissions",
            404: "knows no such thing; not every OpenAI-compatible endpoint has a fine-tuning API, and not every model",
            413: "finds the file too large; learn from fewer items, or shorten the prompt",
            429: "has no budget left for this key",
        }
        told = f"{self.name} {advice.get(status, 'refused the request')} (HTTP {status}){words}"
        return Gone(told) if status == 404 else Unusable(told)


def where(base_url: str) -> str:
    """An endpoint as staff read it: without path, and without a password that stands in the URL."""
    if not base_url:
        return "api.openai.com"
    try:
        parts = urlsplit(base_url)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
    except ValueError:
        return "the endpoint"


def shorten(said: str) -> str:
    """One printable line of what a stranger said."""
    line = " ".join("".join(char if char.isprintable() else " " for char in said).split())
    return line if len(line) <= SAID_CHARS else line[: SAID_CHARS - 1] + "…"
