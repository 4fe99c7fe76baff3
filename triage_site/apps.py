from __future__ import annotations

from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "triage_site"
    verbose_name = "Site"

    def ready(self) -> None:
        from triage_site import events

        events.listen()
