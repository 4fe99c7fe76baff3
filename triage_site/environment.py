"""The environment, read with errors that say which variable is wrong and what it may be."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = {"1", "true", "yes", "on"}
FALSE_WORDS = {"", "0", "false", "no", "off"}


def env_bool(name: str, default: bool = False) -> bool:
    """A yes or no; any other word is refused, since a typo must not switch a safeguard off."""
    value = os.environ.get(name)
    if value is None:
        return default
    word = value.strip().lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ImproperlyConfigured(f"{name}={value!r} is not a yes or no: use 1 or 0.")


def env_int(name: str, default: int, *, minimum: int, maximum: int) -> int:
    """A whole number inside its range."""
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number.") from None
    if not minimum <= number <= maximum:
        raise ImproperlyConfigured(f"{name}={number} is outside {minimum} to {maximum}.")
    return number


def env_float(name: str, default: float, *, minimum: float, maximum: float) -> float:
    """A number inside its range."""
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    try:
        number = float(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={value!r} is not a number.") from None
    if not minimum <= number <= maximum:
        raise ImproperlyConfigured(f"{name}={value} is outside {minimum} to {maximum}.")
    return number


def env_list(name: str) -> list[str]:
    """Comma-separated words, without empty ones."""
    return [word.strip() for word in os.environ.get(name, "").split(",") if word.strip()]


def env_paths(name: str, default: dict[str, str]) -> dict[str, str]:
    """A JSON object that says where each of the known fields lies in a document; those left out keep their default."""
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    try:
        paths = json.loads(value)
    except ValueError:
        paths = None
    if not isinstance(paths, dict) or not all(isinstance(path, str) and path for path in paths.values()):
        raise ImproperlyConfigured(f'{name} must be a JSON object of text such as {{"comment": "body.text"}}.')
    if unknown := paths.keys() - default.keys():
        raise ImproperlyConfigured(f"{name} names {min(unknown)!r}, which is no field: use {', '.join(default)}.")
    return default | paths


def env_secret(name: str) -> str:
    """A secret from NAME, or from the file that NAME_FILE names; empty when neither is set."""
    value = os.environ.get(name, "").strip()
    path = os.environ.get(f"{name}_FILE", "").strip()
    if value or not path:
        return value
    try:
        value = Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE={path!r} cannot be read: {error.strerror}.") from None
    if not value:
        raise ImproperlyConfigured(f"{name}_FILE={path!r} is empty.")
    return value


MONGODB_ENGINE = "triage_site.mongodb"
DJONGO_REFUSAL = (
    "djongo is not supported: its newest release (1.3.7) needs Django 3.1 and, on the Django this desk runs on, "
    "returns wrong rows without an error. Use DATABASE_URL=mongodb://… instead, which selects "
    "django-mongodb-backend (see README, MongoDB)."
)


def parse_database_url(url: str, *, base_dir: Path) -> dict[str, Any]:
    """DATABASES["default"] for sqlite:///path, postgres://… or mongodb://…; anything else says what may stand there."""
    try:
        parts = urlsplit(url)
        port = "" if url.startswith("mongodb") else str(parts.port or "")
    except ValueError:
        # Not what was given: a password may be in it.
        raise ImproperlyConfigured(
            "DATABASE_URL cannot be read as postgres://user:password@host:port/name. In a password, write the "
            "characters / ? # [ ] @ : % percent-encoded: / is %2F, ? is %3F, # is %23."
        ) from None
    scheme = parts.scheme.lower()
    if "djongo" in scheme:
        raise ImproperlyConfigured(DJONGO_REFUSAL)
    if scheme == "sqlite":
        path = unquote(parts.path)
        # sqlite:///name is relative to the project, sqlite:////name is absolute, as in SQLAlchemy.
        file = base_dir / path.removeprefix("/") if path not in ("", "/") else None
        if file is None:
            raise ImproperlyConfigured(f"DATABASE_URL={url!r} names no file: use sqlite:///data/desk.sqlite3.")
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": file,
            # Opening takes a millisecond, which else each request and each statement of the task queue pays.
            "CONN_MAX_AGE": 60,
            # Writers queue up from the first statement instead of failing half way with "database is locked".
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 30,
                "init_command": (
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY; "
                    "PRAGMA mmap_size=134217728; PRAGMA cache_size=-20000;"
                ),
            },
        }
    if scheme in ("postgres", "postgresql"):
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.removeprefix("/")) or "postgres",
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or "",
            "PORT": port,
            # A machine that is gone answers nothing at all, and the system would ask it for two minutes.
            "OPTIONS": {"connect_timeout": "10"} | dict(parse_qsl(parts.query)),
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
        }
    if scheme in ("mongodb", "mongodb+srv"):
        name = unquote(parts.path.removeprefix("/"))
        if not name:
            raise ImproperlyConfigured("DATABASE_URL names no database: use mongodb://user:password@host/name.")
        # The driver reads hosts, user and options from the address itself; left alone it looks for a server for 30 s.
        said = {option.lower() for option, _ in parse_qsl(parts.query)}
        patience = {} if "serverselectiontimeoutms" in said else {"serverSelectionTimeoutMS": 10_000}
        return {"ENGINE": MONGODB_ENGINE, "NAME": name, "HOST": url, "OPTIONS": patience}
    shown = f"{scheme}://…" if scheme else repr(url)
    raise ImproperlyConfigured(
        f"DATABASE_URL={shown} is not known: use sqlite:///data/desk.sqlite3, postgres://user:password@host/name "
        "or mongodb://user:password@host/name."
    )


def with_timeouts(url: str, *, seconds: int) -> str:
    """A redis:// address whose client gives up on a server that does not answer; what it says itself counts."""
    said = {name for name, _ in parse_qsl(urlsplit(url).query)}
    limits = {name: seconds for name in ("socket_connect_timeout", "socket_timeout") if name not in said}
    return url + ("&" if "?" in url else "?") * bool(limits) + urlencode(limits)
