"""The desk on one machine: everything that `make run` does after the installation."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from contextlib import suppress
from datetime import datetime
from types import FrameType
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from analyzer.models import Heartbeat
from feedback.arguments import PORT
from feedback.models import Feedback

START_SECONDS = 90
STOP_SECONDS = 15


class Command(BaseCommand):
    help = "Migrate, make a staff account and a small demo on an empty desk, and start web server and worker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=PORT, default=8000, help="Port on 127.0.0.1 (default 8000).")
        parser.add_argument("--no-demo", action="store_true", help="Leave an empty desk empty.")

    def handle(self, *, port: int, no_demo: bool, **options: Any) -> None:
        _check_port(port)
        call_command("migrate", verbosity=0)
        password = _make_staff()
        started = timezone.now()
        _stop_on_signals()
        processes = _start(port)
        try:
            _wait(processes, port, since=started)
            if not no_demo and not Feedback.objects.exists():
                call_command("load_demo", stdout=self.stdout)
            self._say_where(port, password)
            _watch(processes)
        except KeyboardInterrupt:
            self.stdout.write("\nStopping.")
        finally:
            _stop(processes)

    def _say_where(self, port: int, password: str) -> None:
        site = f"http://127.0.0.1:{port}"
        say = self.stdout.write
        say(f"\nPublic form  {site}/feedback/      API  {site}/api/feedback/      Widget  {site}/feedback/widget/")
        say(f"Engine       {settings.TRIAGE_ENGINE}; Ctrl-C stops everything.")
        who = (
            f"as staff with the password {password} (shown once)"
            if password
            else "with your account (forgotten? .venv/bin/python manage.py changepassword staff)"
        )
        say(self.style.SUCCESS(f"Sign in at   {site}/admin/ {who}"))
        # Piped into a file or a pager the line would otherwise stay in a buffer until the end.
        self.stdout.flush()


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise CommandError(f"Port {port} cannot be used ({error}). Choose another: make run PORT=8010") from error


def _make_staff() -> str:
    """A superuser called staff on a desk without accounts; returns the password, empty when there was somebody."""
    if User.objects.exists():
        return ""
    password = secrets.token_urlsafe(12)
    User.objects.create_superuser("staff", password=password)
    return password


def _start(port: int) -> dict[str, subprocess.Popen[bytes]]:
    """Web and worker, each in a process group of its own, so that Ctrl-C reaches them through us and in order."""
    web = [sys.executable, "-m", "gunicorn", "triage_site.wsgi", "--bind", f"127.0.0.1:{port}"]
    web += ["--workers", "2", "--threads", "4", "--log-level", "warning"]
    worker = [sys.executable, "manage.py", "qcluster"]
    return {
        name: subprocess.Popen(command, cwd=settings.BASE_DIR, start_new_session=True)  # noqa: S603 (our own words)
        for name, command in (("web server", web), ("worker", worker))
    }


def _wait(processes: dict[str, subprocess.Popen[bytes]], port: int, *, since: datetime) -> None:
    """Until the web server takes connections and a worker has swept since the start."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        _check_running(processes)
        if _answers(port) and Heartbeat.objects.filter(at__gte=since).exists():
            return
        time.sleep(0.3)
    raise CommandError(f"Web server and worker were not ready after {START_SECONDS} seconds; see the lines above.")


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _watch(processes: dict[str, subprocess.Popen[bytes]]) -> None:
    while True:
        _check_running(processes)
        time.sleep(1)


def _check_running(processes: dict[str, subprocess.Popen[bytes]]) -> None:
    for name, process in processes.items():
        code = process.poll()
        if code is not None:
            raise CommandError(f"The {name} stopped by itself (exit code {code}); see the lines above.")


def _stop_on_signals() -> None:
    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    # SIGINT too: a shell that starts this in the background has it ignored, which children inherit.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)


def _stop(processes: dict[str, subprocess.Popen[bytes]]) -> None:
    """Ask, wait, insist; the whole group, since workers have children."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for process in processes.values():
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes.values():
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=max(0.1, deadline - time.monotonic()))
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
