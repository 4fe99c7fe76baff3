"""How the desk writes durations and points."""

from __future__ import annotations

from datetime import timedelta

from django import template

from analyzer.admin import badges

register = template.Library()


@register.filter
def age(waiting: timedelta) -> str:
    """A duration in one unit."""
    return badges.age(waiting)


@register.filter
def points(value: float) -> str:
    """A summand with its sign, without a decimal place that says nothing."""
    return f"{value:+g}".replace("-", "−")
