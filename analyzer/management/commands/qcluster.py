"""django-q2's worker, with the agent imported before the workers fork: six seconds once instead of once each."""

from __future__ import annotations

from typing import Any

from django.db import connections
from django_q.management.commands.qcluster import Command as QClusterCommand
from django_q.tasks import async_task


class Command(QClusterCommand):
    help = "Start the worker: it analyses feedback as it arrives."

    def handle(self, *args: Any, **options: Any) -> None:
        from analyzer import rollout, versions

        # Imported and read here, but no rollout is run: a tracer used before a fork would block the children.
        rollout.register(versions.spec(versions.active()))
        async_task("analyzer.tasks.sweep")
        # A connection that is carried over a fork is used by two processes at once.
        connections.close_all()
        super().handle(*args, **options)
