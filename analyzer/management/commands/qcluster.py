"""django-q2's worker, with the agent imported before the workers fork: six seconds once instead of once each."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Start the worker: it analyses feedback as it arrives, until SIGTERM or Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        from analyzer import cluster, rollout, versions

        # Imported and read here, but no rollout is run: a tracer used before a fork would block the children.
        rollout.register(versions.spec(versions.active()))
        cluster.Desk().run()
