"""What every test shares: the cast, and Chromium."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from tests import make

pytest_plugins = (
    "tests.browser",
    "tests.mongo_server",
    "tests.training.tiny_server",
    "tests.training.finetuned",
    "tests.training.tuned_desk",
)


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
