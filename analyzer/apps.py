from __future__ import annotations

from django.apps import AppConfig


class AnalyzerConfig(AppConfig):
    name = "analyzer"
    verbose_name = "Triage"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate, pre_delete

        from analyzer import receivers, revisions, roles, similar
        from feedback.models import Feedback
        from feedback.signals import feedback_changed, feedback_received

        feedback_received.connect(receivers.queue_feedback, dispatch_uid="analyzer.queue_feedback")
        feedback_changed.connect(revisions.analyse_anew, dispatch_uid="analyzer.analyse_anew")
        pre_delete.connect(similar.leave_group, sender=Feedback, dispatch_uid="analyzer.leave_group")
        post_migrate.connect(roles.create_roles, sender=self, dispatch_uid="analyzer.create_roles")
        post_migrate.connect(receivers.schedule_work, sender=self, dispatch_uid="analyzer.schedule_work")
