"""The processes of the Procfile in production mode, over one environment, and a supervisor that starts them again."""

from __future__ import annotations

import os
import random
import resource
import secrets
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from tests.processes import kill_family
from tests.servers import free_port
from tests.worker import ROOT, until

PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text(encoding="utf-8").splitlines())
HOST = "desk.example"


class Service:
    """One line of the Procfile, or another command, as a process group of its own."""

    def __init__(self, command: str, environment: dict[str, str], log: Path) -> None:
        self._command, self._environment, self._log = command, environment, log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["bash", "-c", f"exec {self._command}"],
                cwd=ROOT,
                env=self._environment,
                start_new_session=True,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """kill -9 for the process and all of its children."""
        if self._process is not None:
            kill_family(self._process)

    def family(self) -> list[psutil.Process]:
        """Its processes, the main one first; nobody when it does not run."""
        with suppress(psutil.NoSuchProcess):
            main = psutil.Process(self._process.pid if self._process else 0)
            return [main, *sorted(main.children(recursive=True), key=lambda child: child.pid)]
        return []

    def kill_one(self, chance: random.Random) -> str:
        """kill -9 for one of its processes, whichever it hits; returns what it did."""
        with suppress(psutil.NoSuchProcess, IndexError):
            family = self.family()
            hit = chance.choice(family)
            title = hit.cmdline()[-1:] or [""]
            hit.kill()
            return "main" if hit == family[0] else title[0].rpartition(" ")[2][:20]
        return "nobody"

    def fill_disk(self, full: bool) -> None:
        """Let none of its processes write to any file, as on a disk that is full; or let them again."""
        for process in self.family():
            with suppress(psutil.NoSuchProcess):
                process.rlimit(resource.RLIMIT_FSIZE, (1 if full else resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def stop(self) -> int:
        """As systemd stops it; its exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(timeout=90)


class Site:
    """A desk that is deployed: its environment, its address, and what manage.py says about it."""

    def __init__(self, folder: Path, *, database: str, **environment: str) -> None:
        self.folder, self.database = folder, database
        self.port = free_port()
        self.log = folder / "log"
        self.environment = {
            "PATH": os.environ["PATH"],
            "PORT": str(self.port),
            "SECRET_KEY": secrets.token_urlsafe(50),
            "ALLOWED_HOSTS": HOST,
            "CSRF_TRUSTED_ORIGINS": f"https://{HOST}",
            "BEHIND_PROXY": "1",
            "LOG_FORMAT": "json",
            "FEEDBACK_RATE_LIMIT": "0",
            "DATABASE_URL": database,
        } | environment
        done = subprocess.run(
            ["bash", "-c", PROCFILE["release"]], cwd=ROOT, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def service(self, name: str) -> Service:
        return self.run(PROCFILE[name])

    def run(self, command: str) -> Service:
        """Not started yet."""
        return Service(command, self.environment, self.log)

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [".venv/bin/python", "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def wait(self) -> None:
        until(self.listens, "the web server")


class Supervisor:
    """Starts again what has ended, two seconds later, as the units of docs/systemd do."""

    def __init__(self, pause: float = 2.0) -> None:
        self._pause = pause
        self._lock = threading.Lock()
        self._kept: list[tuple[Callable[[], bool], Callable[[], None]]] = []
        self._due: dict[int, float] = {}
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.restarts = 0

    def keep(self, running: Callable[[], bool], start: Callable[[], None]) -> None:
        """Start it, unless it runs: a second one beside it would be the one that is killed later."""
        if not running():
            start()
        self._kept.append((running, start))

    def __enter__(self) -> Supervisor:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ending.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ending.wait(0.1):
            for number, (running, start) in enumerate(self._kept):
                if running():
                    self._due.pop(number, None)
                elif time.monotonic() > self._due.setdefault(number, time.monotonic() + self._pause):
                    self.restarts += 1
                    start()
