"""The public addresses: people rely on them, and so do widgets on other sites."""

from __future__ import annotations

from django.urls import path

from feedback import api, views

app_name = "feedback"
urlpatterns = [
    path("feedback/", views.form, name="form"),
    path("feedback/thanks/", views.thanks, name="thanks"),
    path("feedback/widget/", views.widget, name="widget"),
    path("api/feedback/", api.receive, name="api"),
]
