"""docs/permissions.md, every line of it: who gets which answer from which address. An address without a line fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, Group, User
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from django_q.models import Failure, Success, Task

from analyzer import reviews
from analyzer.models import Analysis, AnalyzerVersion, QueueItem, Review
from feedback.models import Feedback
from tests import make

pytestmark = pytest.mark.django_db

TABLE = Path(__file__).resolve().parents[2] / "docs" / "permissions.md"
ROLES = ("anonymous", "signed in", "Viewer", "Reviewer", "Manager", "superuser")
OURS = (Feedback, QueueItem, Analysis, Review, AnalyzerVersion)
OUTSIDE = ROLES[:2]
METHODS = ("GET", "POST")
ELSEWHERE = "203.0.113.9"

# (route, role) -> the statuses of GET and POST.
Statuses = dict[tuple[str, str], tuple[int, ...]]


def routes(patterns: list[Any] | None = None, before: str = "") -> Iterator[str]:
    """Every address the site knows, as it is written in the URL configuration."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        here = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, here)
        elif isinstance(pattern, URLPattern):
            named = re.sub(r"\^?\(\?P<(\w+)>.*?\)", r"<\1>", here)
            yield "/" + named.removesuffix("$")


def table() -> Statuses:
    """The document's lines: a route, then for each role a cell such as 200 405."""
    found: Statuses = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        if len(cells) == 1 + len(ROLES) and cells[0].startswith("/"):
            for role, cell in zip(ROLES, cells[1:], strict=True):
                found[cells[0], role] = tuple(int(status) for status in cell.split())
    return found


def person(role: str) -> User | AnonymousUser:
    if role == "anonymous":
        return AnonymousUser()
    if role == "superuser":
        return User.objects.create_superuser("root")
    return make.user("pat", None if role == "signed in" else role)


def fill(model: type[models.Model]) -> models.Model:
    """A row of a library's or of the training app's model: what must be there is given some value."""
    values: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        if field.has_default() or field.null or (field.primary_key and isinstance(field, models.AutoField)):
            continue
        if isinstance(field, models.DateTimeField):
            values[field.name] = timezone.now()
        elif isinstance(field, models.ForeignKey):
            values[field.name] = User.objects.first()
        elif isinstance(field, models.IntegerField):
            values[field.name] = 1
        elif isinstance(field, models.UUIDField | models.CharField | models.TextField) and not field.blank:
            values[field.name] = "x"
    return model._default_manager.create(**values)


class Desk:
    """One row of each kind, and the address that a route has for it."""

    def __init__(self) -> None:
        ada = make.user("ada", "Reviewer")
        self.item = make.item()
        decided = make.item("Another thing that was decided")
        self.rows: dict[str, models.Model] = {
            "auth/group": Group.objects.get(name="Viewer"),
            "auth/user": ada,
            "feedback/feedback": self.item.feedback,
            "analyzer/queueitem": self.item,
            "analyzer/review": reviews.validate(analysis=decided.analysis, by=ada),
            "analyzer/analyzerversion": self.item.analysis.version,
            "django_q/success": self._task(Success, success=True),
            "django_q/failure": self._task(Failure, success=False),
        }
        for model in admin.site._registry:
            name = model._meta.label_lower.replace(".", "/")
            if name not in self.rows:
                self.rows[name] = fill(model)

    def _task(self, model: type[Task], *, success: bool) -> Task:
        now = timezone.now()
        return model.objects.create(
            id=model.__name__, name="task", func="x", started=now, stopped=now, success=success, attempt_count=1
        )

    def address(self, route: str) -> str:
        named = re.match(r"/admin/(\w+/\w+)/", route)
        own = self.rows[named[1]].pk if named and "<" in route else self.item.pk
        values = {
            "content_type_id": ContentType.objects.get_for_model(type(self.item.feedback)).pk,
            "app_label": "analyzer",
            "url": "nothing-here/",
        }
        return re.sub(r"<(?:\w+:)?(\w+)>", lambda match: str(values.get(match[1], own)), route)


def ask(who: User | AnonymousUser, desk: Desk, route: str) -> list[HttpResponse]:
    """What GET and POST get, each as somebody who has just signed in, with everything that it changed taken back."""
    answers = []
    for method in METHODS:
        with transaction.atomic():
            client = Client(raise_request_exception=False, REMOTE_ADDR=ELSEWHERE)
            if isinstance(who, User):
                client.force_login(who)
            send = client.get if method == "GET" else partial(client.post, data={"nothing": "asked for"})
            answers.append(send(desk.address(route)))
            transaction.set_rollback(True)
    return answers


def test_every_address_has_a_line_and_every_line_an_address() -> None:
    assert {route for route, _ in table()} == set(routes())


@pytest.mark.parametrize("role", ROLES)
def test_every_address_answers_as_the_table_says(role: str) -> None:
    desk, who = Desk(), person(role)
    expected = {route: statuses for (route, for_role), statuses in table().items() if for_role == role}
    found = {}
    for route in expected:
        answers = ask(who, desk, route)
        found[route] = tuple(answer.status_code for answer in answers)
        if role in OUTSIDE and route.startswith("/admin/") and route not in ("/admin/login/", "/admin/logout/"):
            assert all(answer.url.startswith("/admin/login/") for answer in answers), route
    wrong = {route: (found[route], statuses) for route, statuses in expected.items() if found[route] != statuses}
    assert wrong == {}, "address: (found, expected)"


def test_following_links_changes_nothing() -> None:
    desk, who = Desk(), person("superuser")

    def rows() -> list[list[dict[str, Any]]]:
        kept = {model: [field.name for field in model._meta.concrete_fields] for model in OURS}
        # Opening an item in the focus view claims it, which is advice to others and decides nothing.
        kept[QueueItem] = [name for name in kept[QueueItem] if not name.startswith("claimed_")]
        return [list(model.objects.order_by("pk").values(*names)) for model, names in kept.items()]

    before = rows()
    client = Client()
    client.force_login(who)
    for route in routes():
        if "logout" not in route:
            client.get(desk.address(route))
    assert rows() == before
