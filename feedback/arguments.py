"""Numbers on a command's line, held within their bounds where they are read: before anything was done or paid for."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable


def whole_number(least: int, most: int | None = None) -> Callable[[str], int]:
    """What add_argument takes as type: a whole number from least on, to most."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or value < least or (most is not None and value > most):
            span = f"from {least} on" if most is None else f"from {least} to {most}"
            raise ArgumentTypeError(f"{text!r} is not a whole number {span}.")
        return value

    return read


def positive(text: str) -> float:
    """Something above zero: seconds, passes, prices are none without."""
    return _above(text, zero=False)


def not_negative(text: str) -> float:
    """Zero or more."""
    return _above(text, zero=True)


def _above(text: str, *, zero: bool) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not (0 < value < float("inf") or (zero and value == 0)):
        raise ArgumentTypeError(f"{text!r} is not a number {'from 0 on' if zero else 'above 0'}.")
    return value


COUNT = whole_number(1)
PORT = whole_number(0, 65_535)
