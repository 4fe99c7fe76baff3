"""What every test shares. Environment first: settings read it when they are imported."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

# A developer's own environment must not decide what the tests see.
for _name in (
    "OPENAI_BASE_URL",
    "OPENAI_API_KEY",
    "TRIAGE_ENGINE",
    "TRIAGE_MODEL",
    "SECRET_KEY",
    "LIGHTNING_STORE_URL",
):
    os.environ.pop(_name, None)
os.environ["DEBUG"] = "1"
os.environ.setdefault("DATABASE_URL", f"sqlite:///{Path(tempfile.mkdtemp(prefix='triage-tests-')) / 'desk.sqlite3'}")
# Playwright keeps an event loop running in the test's thread.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import SettingsWrapper

from tests import make

pytest_plugins = ("tests.browser",)


@pytest.fixture(autouse=True)
def _no_login_throttle(settings: SettingsWrapper) -> None:
    """client.login carries no request, which axes needs; its own test switches it on."""
    settings.AXES_ENABLED = False


@pytest.fixture
def ada(db: None) -> User:
    """A reviewer."""
    return make.user("ada", "Reviewer")


@pytest.fixture
def ben(db: None) -> User:
    """Staff who may only look."""
    return make.user("ben", "Viewer")


@pytest.fixture
def mia(db: None) -> User:
    """A manager."""
    return make.user("mia", "Manager")


@pytest.fixture
def cy(db: None) -> User:
    """Signed in, but not staff."""
    return make.user("cy", None)
