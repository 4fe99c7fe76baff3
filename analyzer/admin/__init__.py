"""The desk in the admin: the queue, one item, decisions, versions, and the overview on the front page."""

from __future__ import annotations

from analyzer.admin import queue, reviews, versions

__all__ = ["queue", "reviews", "versions"]
