"""What gunicorn reads by itself when it is started here: its own lines look like all the others."""

from __future__ import annotations

import os

_format = "JsonFormatter" if os.environ.get("LOG_FORMAT", "").strip() == "json" else "LineFormatter"

logconfig_dict = {
    # gunicorn's own formatter writes the messages of exceptions, which may quote what a visitor wrote.
    "formatters": {"generic": {"()": f"triage_site.logs.{_format}"}},
    "root": {"level": "WARNING", "handlers": []},
    "loggers": {
        "gunicorn.error": {"level": "WARNING", "handlers": ["error_console"], "propagate": False},
        # Addresses with their queries, one for each request: the proxy in front keeps such a log if it is wanted.
        "gunicorn.access": {"level": "CRITICAL", "handlers": [], "propagate": False},
    },
}
