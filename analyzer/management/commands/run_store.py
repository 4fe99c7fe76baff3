from __future__ import annotations

from argparse import ArgumentParser
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from feedback.arguments import COUNT, PORT

TOKEN_MIN = 20


class Command(BaseCommand):
    help = (
        "Start a LightningStore that workers and training share (LIGHTNING_STORE_URL). On another address than "
        "loopback LIGHTNING_STORE_TOKEN must be set, here and where it is used."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="Address to listen on (default: %(default)s).")
        parser.add_argument("--port", type=PORT, default=4747, help="Port to listen on (default: %(default)s).")
        parser.add_argument(
            "--keep", type=COUNT, default=20_000, help="Finished rollouts to keep (default: %(default)s)."
        )

    def handle(self, *, host: str, port: int, keep: int, **options: Any) -> None:
        token = settings.LIGHTNING_STORE_TOKEN
        if not token and not _is_loopback(host):
            raise CommandError(
                f"--host {host} can be reached from other machines and a LightningStore asks nobody who they are. "
                "Set LIGHTNING_STORE_TOKEN, or LIGHTNING_STORE_TOKEN_FILE, to a long random value."
            )
        if token and len(token) < TOKEN_MIN:
            raise CommandError(
                f"LIGHTNING_STORE_TOKEN is short ({len(token)}); use {TOKEN_MIN} random characters or more."
            )
        from analyzer import store_server

        guarded = "with the token" if token else "without a token"
        self.stdout.write(f"LightningStore on http://{host}:{port}, {guarded}, {keep} finished rollouts. Ctrl-C stops.")
        self.stdout.flush()
        store_server.serve(store_server.build(host=host, port=port, token=token, keep=keep))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
