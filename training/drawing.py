"""SVG as every chart draws it: a canvas, scales and axes. Looks come from classes, which a strict CSP allows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

# Units. Text is 13 of them high, which are 12 pixels where a drawing is 296 pixels wide; see training.css.
WIDTH: Final = 320.0
LEFT: Final = 49.0
RIGHT: Final = 308.0
TOP: Final = 26.0
BELOW: Final = 42.0
# Tick labels nearer than this would run into each other.
LABEL_ROOM: Final = 34.0


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to units; a value outside is drawn at the edge. root stretches the small values of counts."""

    low: float
    high: float
    start: float
    end: float
    root: bool = False

    def at(self, value: float) -> float:
        inside = min(max(value, self.low), self.high)
        part = (inside - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return self.start + (math.sqrt(part) if self.root else part) * (self.end - self.start)


class Canvas:
    """One drawing, WIDTH units wide; what is drawn later lies above."""

    def __init__(self, height: float) -> None:
        self.height = height
        self._elements: list[SafeString] = []

    def draw(self, name: str, css: str, content: str = "", **attributes: float | str) -> None:
        """Any element; attributes are written with hyphens for underscores, numbers with one decimal."""
        written = {"class": css} | {key.replace("_", "-"): _written(value) for key, value in attributes.items()}
        self._elements.append(format_html("<{0}{1}>{2}</{0}>", name, flatatt(written), content))

    def line(self, x1: float, y1: float, x2: float, y2: float, css: str) -> None:
        self.draw("line", css, x1=x1, y1=y1, x2=x2, y2=y2)

    def path(self, points: Iterable[tuple[float, float]], css: str, *, closed: bool = False) -> None:
        """A line through points, or the area inside them."""
        written = " ".join(f"{_written(x)},{_written(y)}" for x, y in points)
        self.draw("polygon" if closed else "polyline", css, points=written)

    def dot(self, x: float, y: float, css: str, radius: float = 3.5) -> None:
        self.draw("circle", css, cx=x, cy=y, r=radius)

    def square(self, x: float, y: float, css: str, size: float = 7.0) -> None:
        self.draw("rect", css, x=x - size / 2, y=y - size / 2, width=size, height=size)

    def text(self, x: float, y: float, content: str, *, anchor: str = "start", css: str = "plot-text") -> None:
        self.draw("text", css, content, x=x, y=y, text_anchor=anchor)

    def svg(self, *, key: str, title: str, description: str) -> SafeString:
        """The drawing with its name and description; key is unique on the page."""
        return format_html(
            '<svg class="plot" viewBox="0 0 {} {}" role="img" aria-labelledby="{}-title {}-desc">'
            '<title id="{}-title">{}</title><desc id="{}-desc">{}</desc>{}</svg>',
            *(_written(WIDTH), _written(self.height)),
            *(key, key, key, title, key, description),
            format_html_join("", "{}", ((element,) for element in self._elements)),
        )


def shares(values: Sequence[float], start: float, end: float) -> Scale:
    """A scale for shares that begins and ends at a round tenth around the values, and holds a fifth at least."""
    low = max(0.0, math.floor(min(values, default=0.0) * 10) / 10)
    high = min(1.0, math.ceil(max(values, default=1.0) * 10) / 10)
    low = max(0.0, min(low, high - 0.2))
    return Scale(round(low, 1), round(max(high, low + 0.2), 1), start, end)


def share_ticks(scale: Scale) -> list[tuple[float, str]]:
    """At most six round shares with their labels."""
    span = scale.high - scale.low
    step = 0.1 if span < 0.55 else 0.2 if span < 0.85 else 0.25
    first = math.ceil(scale.low / step - 1e-9)
    last = math.floor(scale.high / step + 1e-9)
    return [(count * step, f"{100 * count * step:.0f} %") for count in range(first, last + 1)]


def amounts(values: Sequence[float], start: float, end: float) -> Scale:
    """A scale for amounts of any size that begins and ends at a round number around the values."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    step = _round_step(high - low or abs(high) or 1.0)
    first = math.floor(low / step + 1e-9)
    last = max(math.ceil(high / step - 1e-9), first + 1)
    return Scale(first * step, last * step, start, end)


def amount_ticks(scale: Scale) -> list[tuple[float, str]]:
    """At most six round numbers with their labels."""
    step = _round_step(scale.high - scale.low)
    count = round((scale.high - scale.low) / step)
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    return [(value, f"{value:,.{places}f}") for value in (scale.low + step * number for number in range(count + 1))]


def _round_step(span: float) -> float:
    """1, 2 or 5 times a power of ten, of which at most five lie in the span."""
    size = 10.0 ** math.floor(math.log10(span / 5))
    return next(size * times for times in (1, 2, 5, 10) if size * times >= span / 5 * (1 - 1e-9))


def spaced(ticks: Sequence[tuple[float, str]], scale: Scale, room: float = LABEL_ROOM) -> list[tuple[float, str]]:
    """The ticks that have room beside each other; the last always has, then the first ones do."""
    kept: list[tuple[float, str]] = []
    for value, label in ticks:
        place = scale.at(value)
        to_last = abs(scale.at(ticks[-1][0]) - place)
        if (value, label) == ticks[-1] or (
            to_last >= room and (not kept or abs(place - scale.at(kept[-1][0])) >= room)
        ):
            kept.append((value, label))
    return kept


def axes(
    canvas: Canvas,
    *,
    x: Scale,
    y: Scale,
    across: Sequence[tuple[float, str]],
    up: Sequence[tuple[float, str]],
    names: tuple[str, str],
) -> None:
    """Grid, ticks and the names of both axes: that of the upright one stands above it, to be read without turning."""
    for value, label in up:
        canvas.line(x.start, y.at(value), x.end, y.at(value), "plot-grid")
        canvas.text(x.start - 5, y.at(value) + 4.5, label, anchor="end")
    for value, label in across:
        canvas.line(x.at(value), y.start, x.at(value), y.start + 4, "plot-axis")
        # The outermost label would be cut off if it were centred under its tick.
        anchor = "end" if x.at(value) > RIGHT - 12 else "middle"
        canvas.text(x.at(value) + (8 if anchor == "end" else 0), y.start + 17, label, anchor=anchor)
    canvas.line(x.start, y.start, x.end, y.start, "plot-axis")
    canvas.text(0, 13, names[1], css="plot-name")
    canvas.text(x.end, y.start + 35, names[0], anchor="end", css="plot-name")


def _written(value: float | str) -> str:
    return value if isinstance(value, str) else f"{round(value, 1):g}"
