"""Settings for the tests: the product's own, over an environment that a developer's shell cannot change."""

from __future__ import annotations

import os

for _name in (
    "OPENAI_BASE_URL",
    "OPENAI_API_KEY",
    "TRIAGE_ENGINE",
    "TRIAGE_MODEL",
    "SECRET_KEY",
    "LIGHTNING_STORE_TOKEN",
    "LIGHTNING_STORE_URL",
    "FEEDBACK_RATE_LIMIT",
    "API_ALLOWED_ORIGINS",
):
    os.environ.pop(_name, None)
os.environ["DEBUG"] = "1"
# SQLite's test database is in memory; the file that is named here is never made.
os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL") or "sqlite:///data/tests.sqlite3"
# Playwright keeps an event loop running in the thread that a test runs in.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

from triage_site.settings import *  # noqa: F403

# Hashing a password is slow on purpose; the tests make many accounts.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# client.login carries no request, which axes needs; the tests of the throttle switch it on.
AXES_ENABLED = False
