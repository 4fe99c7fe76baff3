"""Every address of the desk."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from triage_site import health, metrics

handler500 = "triage_site.errors.broken"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="feedback:form"), name="home"),
    path("", include("feedback.urls")),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("metrics", metrics.metrics, name="metrics"),
]
