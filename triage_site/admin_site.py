"""The admin that staff work in: Django's own, with our name and front page."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest
from django.template.response import TemplateResponse


class DeskAdminConfig(AdminConfig):
    default_site = "triage_site.admin_site.DeskSite"


class DeskSite(AdminSite):
    site_header = "Feedback triage"
    site_title = "Feedback triage"
    index_title = "The desk"
    # The desk has two rooms; a sidebar that lists every table takes the width that comments need.
    enable_nav_sidebar = False

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        # Models must be loaded before this can be imported.
        from analyzer.admin import overview

        return super().index(request, {**overview.context(request), **(extra_context or {})})
