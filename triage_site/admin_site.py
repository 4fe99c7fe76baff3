"""The admin that staff work in: Django's own, with our name and front page."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig


class DeskAdminConfig(AdminConfig):
    default_site = "triage_site.admin_site.DeskSite"


class DeskSite(AdminSite):
    site_header = "Feedback triage"
    site_title = "Feedback triage"
    index_title = "The desk"
    # The desk has two rooms; a sidebar that lists every table takes the width that comments need.
    enable_nav_sidebar = False
