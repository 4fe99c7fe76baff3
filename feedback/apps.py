from __future__ import annotations

from django.apps import AppConfig


class FeedbackConfig(AppConfig):
    name = "feedback"
    verbose_name = "Feedback"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        from feedback import search_index

        post_migrate.connect(search_index.ensure, sender=self, dispatch_uid="feedback.search_index")
