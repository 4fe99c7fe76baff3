"""The product's settings with a shorter wait for SQLite's lock, so that a test need not hold it for half a minute."""

from __future__ import annotations

from triage_site.settings import *  # noqa: F403
from triage_site.settings import DATABASES

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"]["timeout"] = 2
