"""Training in the admin: its runs, what each found and why, and how versions do once they are live."""

from __future__ import annotations

from training.admin import runs, versions

__all__ = ["runs", "versions"]
