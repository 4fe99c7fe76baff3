"""Sent inside the transaction that stores a submission: what a receiver writes is stored with it or not at all."""

from __future__ import annotations

from django.dispatch import Signal

# Arguments: rows (a sequence of feedback.models.Feedback, all new). Queue work from a receiver with
# transaction.on_commit.
feedback_received = Signal()

# Arguments: feedback, and before, a copy of it as it was. What was said was edited at its source: type, rating, comment
# or page are other ones now. With the same digest they are not, and only governance says something else of them.
feedback_changed = Signal()
