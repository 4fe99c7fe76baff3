"""What keeps a run from starting, or its candidate from going live."""

from __future__ import annotations


class Refused(Exception):
    """A run that was not started, or a candidate that may not go live; the message says why."""


class Busy(Refused):
    """Another run is going on; the message says which."""


class Unavailable(Refused):
    """An algorithm that cannot run here, with the reason."""


class NotPromotable(Refused):
    """A candidate that may not go live, with the reason."""
