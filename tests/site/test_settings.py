"""The environment decides, and says clearly when it cannot."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def check(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """manage.py check in a process with nothing but the given environment."""
    return subprocess.run(
        [sys.executable, "manage.py", "check", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_without_a_secret_key_does_not_start_and_says_why() -> None:
    done = check(DEBUG="0")
    assert done.returncode != 0
    assert "SECRET_KEY is not set" in done.stderr


def test_the_deployment_check_is_clean_in_production_mode() -> None:
    done = check(
        "--deploy", "--fail-level", "WARNING", SECRET_KEY=secrets.token_urlsafe(50), ALLOWED_HOSTS="desk.example"
    )
    assert done.returncode == 0, done.stderr


def test_a_proxy_that_is_said_not_to_be_there_makes_no_deployed_desk() -> None:
    assert check(BEHIND_PROXY="0").returncode == 0


@pytest.mark.parametrize("name", ["ALLOWED_HOSTS", "BEHIND_PROXY", "CSRF_TRUSTED_ORIGINS"])
def test_a_deployed_desk_without_a_key_does_not_fall_back_on_the_laptops(name: str) -> None:
    assert (ROOT / "data" / "secret_key").is_file(), "make test makes it"
    done = check(**{name: "1"})
    assert done.returncode != 0
    assert f"{name} is set" in done.stderr
    assert "SECRET_KEY is not" in done.stderr


def test_an_empty_key_file_is_no_key(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("\n")
    done = check(SECRET_KEY_FILE=str(key), ALLOWED_HOSTS="desk.example")
    assert done.returncode != 0
    assert "is empty" in done.stderr


def test_a_site_that_names_no_host_does_not_start() -> None:
    done = check(SECRET_KEY=secrets.token_urlsafe(50))
    assert done.returncode != 0
    assert "ALLOWED_HOSTS is not set" in done.stderr


def test_a_patient_endpoint_gets_workers_that_are_as_patient() -> None:
    endpoint = {"DEBUG": "1", "OPENAI_BASE_URL": "http://127.0.0.1:1/v1", "TRIAGE_TIMEOUT": "90"}
    assert check(**endpoint).returncode == 0
    assert check(**endpoint, TRIAGE_ENGINE="local", Q_TIMEOUT="60").returncode == 0, "nothing is asked"
    done = check(**endpoint, Q_TIMEOUT="120")
    assert done.returncode != 0
    assert "set Q_TIMEOUT to 210 or more" in done.stderr


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(secrets.token_urlsafe(50) + "\n")
    assert check(SECRET_KEY_FILE=str(key), ALLOWED_HOSTS="desk.example").returncode == 0


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SECRET_KEY_FILE", "/nowhere/key", "cannot be read"),
        ("BEHIND_PROXY", "maybe", "is not a yes or no"),
        ("Q_WORKERS", "many", "is not a whole number"),
        ("Q_WORKERS", "0", "is outside 1 to 64"),
        ("Q_BROKER", "rabbit://x", "use orm or redis"),
        ("Q_RETRY", "60", "Q_RETRY must be larger than Q_TIMEOUT"),
        ("DATABASE_URL", "oracle://scott", "is not known"),
        ("DATABASE_URL", "sqlite:///", "names no file"),
        ("DATABASE_URL", "postgres://u:S3cr/et@db/x", "percent-encoded"),
        ("DATABASE_URL", "djongo://localhost/x", "djongo is not supported"),
        ("DB_ENGINE", "djongo", "djongo is not supported"),
        ("TRIAGE_ENGINE", "magic", "use local, llm or cascade"),
        ("TRIAGE_ENGINE", "llm", "neither OPENAI_BASE_URL nor OPENAI_API_KEY"),
        ("TRIAGE_TIMEOUT", "soon", "is not a number"),
    ],
)
def test_a_wrong_variable_is_named_with_what_it_may_be(name: str, value: str, words: str) -> None:
    done = check(**{"DEBUG": "1", name: value})
    assert done.returncode != 0
    assert words in done.stderr


@pytest.mark.parametrize("url", ["mysql://root:hunter2@localhost/x", "postgres://root:hunter2/3@localhost/x"])
def test_a_database_password_is_not_in_the_error(url: str) -> None:
    done = check(DEBUG="1", DATABASE_URL=url)
    assert "DATABASE_URL" in done.stderr
    assert "hunter2" not in done.stderr


def test_a_fresh_data_folder_is_its_owners_alone(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "triage_site", tmp_path / "triage_site")
    shutil.copy(ROOT / "CHANGELOG.md", tmp_path)
    subprocess.run(
        [sys.executable, "-c", "import triage_site.settings"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "DEBUG": "1"},
        check=True,
        umask=0o022,
    )
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
