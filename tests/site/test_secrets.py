"""Secrets come from the environment and stay there; sign-in, cookies and pages in production give nothing away."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django.views.debug import SafeExceptionReporterFilter
from pytest_django import Settings

from analyzer.engines import Spec
from tests.make import PASSWORD

ROOT = Path(__file__).resolve().parents[2]
LOGIN = "/admin/login/"
WRONG = {"username": "ada", "password": "wrong"}
RIGHT = {"username": "ada", "password": PASSWORD}

# What a visitor of a production desk sees, gathered in a process that was started as one.
PRODUCTION = """
import json, sys
import django
django.setup()
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client, override_settings
from django.urls import path

def fail(request):
    raise ValueError("canary " + settings.OPENAI_API_KEY)

from triage_site import urls
urls.urlpatterns.insert(0, path("fail", fail))
call_command("migrate", verbosity=0)
User.objects.create_superuser("root", password="a long password of root")
# The hashed names of static files need a build, which is not what is tested.
plain = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
host = {"host": "desk.example"}
found = {}

def note(name, answer):
    cookies = {key: dict(morsel.items()) for key, morsel in answer.cookies.items()}
    body = b"".join(answer).decode() if answer.streaming else answer.content.decode()
    found[name] = {"status": answer.status_code, "headers": dict(answer.headers), "cookies": cookies, "body": body}
    return answer

with override_settings(STORAGES=settings.STORAGES | plain):
    client = Client(enforce_csrf_checks=True, raise_request_exception=False, headers=host)
    note("http", client.get("/feedback/"))
    note("http probe", client.get("/healthz"))
    note("other host", client.get("/feedback/", headers={"host": "evil.example"}, secure=True))
    page = note("login", client.get("/admin/login/", secure=True))
    note("no token", client.post("/admin/login/", {"username": "root", "password": "x"}, secure=True))
    words = {"username": "root", "password": "a long password of root"}
    words["csrfmiddlewaretoken"] = client.cookies["csrftoken"].value
    referer = {"referer": "https://desk.example/admin/login/"}
    note("foreign", client.post("/admin/login/", words, secure=True, headers={"referer": "https://evil.example/"}))
    note("signed in", client.post("/admin/login/", words, secure=True, headers=referer))
    note("not found", client.get("/nowhere", secure=True))
    note("error", client.get("/fail", secure=True))
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "triage_site.settings",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "OPENAI_API_KEY": "sk-canary-4242",
        "ALLOWED_HOSTS": "desk.example",
        "DATABASE_URL": f"sqlite:///{tmp_path_factory.mktemp('production')}/desk.sqlite3",
    }
    done = subprocess.run(
        [sys.executable, "-c", PRODUCTION], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "sk-canary" not in done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_plain_http_leads_to_https_except_for_probes(production: dict[str, dict[str, Any]]) -> None:
    assert production["http"]["status"] == 301
    assert production["http"]["headers"]["Location"] == "https://desk.example/feedback/"
    assert production["http probe"]["status"] == 503


def test_another_host_name_is_refused(production: dict[str, dict[str, Any]]) -> None:
    assert production["other host"]["status"] == 400


def test_the_headers_that_protect_a_page_are_there(production: dict[str, dict[str, Any]]) -> None:
    headers = production["login"]["headers"]
    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_cookies_are_for_https_and_the_session_is_not_for_scripts(production: dict[str, dict[str, Any]]) -> None:
    assert production["signed in"]["status"] == 302
    session = production["signed in"]["cookies"]["sessionid"]
    assert (session["secure"], session["httponly"], session["samesite"]) == (True, True, "Lax")
    assert session["max-age"] == 12 * 3600
    token = production["login"]["cookies"]["csrftoken"]
    assert (token["secure"], token["samesite"]) == (True, "Lax")


def test_a_post_without_the_token_or_from_another_site_is_refused(production: dict[str, dict[str, Any]]) -> None:
    assert production["no token"]["status"] == 403
    assert production["foreign"]["status"] == 403


def test_error_pages_show_neither_code_nor_settings(production: dict[str, dict[str, Any]]) -> None:
    assert (production["not found"]["status"], production["error"]["status"]) == (404, 500)
    for name in ("not found", "error", "no token"):
        body = production[name]["body"]
        assert "sk-canary" not in body
        assert not re.search(r"Traceback|DEBUG|URLconf|settings|\.py", body), name


def test_a_spec_shows_neither_key_nor_address_nor_weights() -> None:
    spec = Spec(engine="llm", api_key="sk-canary", base_url="http://user:hunter2@host/v1", weights=b"canary" * 1000)
    assert not re.search("canary|hunter2", f"{spec!r} {spec} {spec.key}")


def test_what_django_shows_of_settings_hides_the_secrets(settings: Settings) -> None:
    settings.OPENAI_API_KEY = settings.METRICS_TOKEN = settings.SECRET_KEY = "canary"
    shown = SafeExceptionReporterFilter().get_safe_settings()
    assert {shown[name] for name in ("OPENAI_API_KEY", "METRICS_TOKEN", "SECRET_KEY")} == {"********************"}


def test_no_file_that_is_kept_holds_a_secret() -> None:
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    kept = [ROOT / name for name in done.stdout.splitlines() if not name.startswith("tests/")]
    secret = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY|\bsk-(?:proj-)?[A-Za-z0-9]{32,}|\bghp_\w{30,}|\bAKIA\w{16}\b")
    assert [path.name for path in kept if path.is_file() and secret.search(path.read_bytes())] == []


def test_every_test_that_the_threat_model_names_is_there() -> None:
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", (ROOT / "SECURITY.md").read_text(encoding="utf-8")))
    assert len(named) > 15
    assert [name for name in named if not (ROOT / name).is_file()] == []


@pytest.mark.django_db
class TestThrottle:
    @pytest.fixture(autouse=True)
    def on(self, settings: Settings) -> None:
        settings.AXES_ENABLED = True

    def lock(self, client: Client, **extra: str) -> None:
        codes = [client.post(LOGIN, WRONG, **extra).status_code for _ in range(5)]
        assert codes == [200, 200, 200, 200, 429]

    def test_the_right_password_does_not_open_a_closed_pair_until_a_quarter_of_an_hour_later(
        self, client: Client, ada: User
    ) -> None:
        self.lock(client)
        assert client.post(LOGIN, RIGHT).status_code == 429
        with time_machine.travel(timezone.now() + timedelta(minutes=16)):
            assert client.post(LOGIN, RIGHT).status_code == 302

    def test_nobody_can_shut_out_somebody_at_another_address(self, client: Client, ada: User) -> None:
        self.lock(client, REMOTE_ADDR="203.0.113.9")
        assert client.post(LOGIN, RIGHT, REMOTE_ADDR="198.51.100.7").status_code == 302

    def test_a_made_up_header_is_no_other_address(self, client: Client, ada: User) -> None:
        for number in range(5):
            client.post(LOGIN, WRONG, headers={"X-Forwarded-For": f"198.51.100.{number}"})
        assert client.post(LOGIN, RIGHT, headers={"X-Forwarded-For": "198.51.100.99"}).status_code == 429

    def test_behind_the_proxy_only_the_address_that_it_added_counts(
        self, client: Client, ada: User, settings: Settings
    ) -> None:
        settings.BEHIND_PROXY = True
        for number in range(5):
            client.post(LOGIN, WRONG, headers={"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.9"})
        assert client.post(LOGIN, RIGHT, headers={"X-Forwarded-For": "1.2.3.4, 203.0.113.9"}).status_code == 429
        assert client.post(LOGIN, RIGHT, headers={"X-Forwarded-For": "203.0.113.9, 1.2.3.4"}).status_code == 302
