"""How fine-tuning went, step by step: one chart for each thing that was measured, with what validation rows said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from training.charts import Chart, Row, Stored
from training.drawing import (
    BELOW,
    LEFT,
    RIGHT,
    TOP,
    Canvas,
    Scale,
    amount_ticks,
    amounts,
    axes,
    share_ticks,
    shares,
    spaced,
)
from training.figures import NOTHING, Figure, finite, percent

HEIGHT: Final = 250.0


@dataclass(frozen=True, slots=True)
class Measured:
    """One thing that is measured at every step, or on validation rows now and then, or both."""

    name: str
    title: str
    axis: str
    share: bool = False
    what: str = ""

    def written(self, value: float | None) -> str:
        if value is None:
            return NOTHING
        return percent(value) if self.share else f"{value:,.4g}"


MEASURED: Final = (
    Measured("reward", "Reward", "reward", share=True, what="the reward against people's decisions"),
    Measured("well_formed", "Well-formed answers", "can be read", share=True, what="answers that can be read"),
    Measured("category", "Right category", "right category", share=True, what="answers with the right category"),
    Measured("preferred", "Preferred", "preferred", share=True, what="pairs whose person's answer is likelier"),
    Measured("kl", "Drift from the beginning", "KL, nats a token", what="KL to where it began"),
    Measured("length", "Length of an answer", "tokens", what="tokens an answer"),
    Measured("loss", "Loss", "loss", what="the loss"),
)


def drawn(record: Mapping[str, Any]) -> list[Chart]:
    """A chart for everything that was measured at two steps or more."""
    steps, probes = _listed(record.get("steps")), _listed(record.get("probes"))
    return [chart for measured in MEASURED if (chart := curve(measured, steps, probes)) is not None]


def curve(measured: Measured, steps: Sequence[Stored], probes: Sequence[Stored]) -> Chart | None:
    """The line of one thing over the steps, and dots with 95 % intervals on validation rows; None without either."""
    line = list(_points(measured, steps))
    dots = list(_probed(measured, probes))
    values = [*(value for _, value in line), *(edge for _, figure in dots for edge in _edges(figure))]
    places = sorted({*(step for step, _ in line), *(step for step, _ in dots)})
    if len(places) < 2:
        return None
    title = measured.title
    sentence = _sentence(measured, line, dots)
    canvas = Canvas(HEIGHT)
    x = Scale(places[0], places[-1], LEFT, RIGHT)
    if measured.share:
        y = shares(values, HEIGHT - BELOW, TOP)
        up = share_ticks(y)
    else:
        y = amounts(values, HEIGHT - BELOW, TOP)
        up = amount_ticks(y)
    across = amount_ticks(amounts([places[0], places[-1]], LEFT, RIGHT))
    inside = [(value, label) for value, label in across if places[0] <= value <= places[-1]]
    axes(canvas, x=x, y=y, across=spaced(inside, x), up=up, names=("step", measured.axis))
    canvas.path([(x.at(step), y.at(value)) for step, value in line], "plot-line")
    for step, figure in dots:
        if figure.low is not None and figure.high is not None:
            canvas.line(x.at(step), y.at(figure.low), x.at(step), y.at(figure.high), "plot-whisker")
        canvas.dot(x.at(step), y.at(figure.value or 0.0), "plot-dot")
    key = f"curve-{measured.name.replace('_', '-')}"
    drawing = canvas.svg(key=key, title=title, description=sentence)
    told = tuple((f"{step:,.0f}", measured.written(value), NOTHING, NOTHING) for step, value in line)
    rows = tuple(_probe_row(measured, step, figure) for step, figure in dots)
    head = ("step", measured.axis, "95 % interval", "n")
    if rows:
        return Chart(key, title, sentence, drawing, head, rows, told)
    return Chart(key, title, sentence, drawing, head, _spread(told), told)


def _sentence(measured: Measured, line: Sequence[tuple[float, float]], dots: Sequence[tuple[float, Figure]]) -> str:
    parts = []
    if line:
        first, last = line[0], line[-1]
        parts.append(
            f"While learning, {measured.what} went from {measured.written(first[1])} at step {first[0]:,.0f} to "
            f"{measured.written(last[1])} at step {last[0]:,.0f}."
        )
    if dots:
        (_, before), (_, after) = dots[0], dots[-1]
        parts.append(
            f"On {after.n:,} validation rows (dots, with 95 % intervals): {measured.written(before.value)}, then "
            f"{measured.written(after.value)}."
        )
    return " ".join(parts)


def _points(measured: Measured, steps: Sequence[Stored]) -> Iterator[tuple[float, float]]:
    for step in steps:
        at, value = finite(step.get("step")), finite(step.get(measured.name))
        if at is not None and value is not None:
            yield at, value


def _probed(measured: Measured, probes: Sequence[Stored]) -> Iterator[tuple[float, Figure]]:
    for probe in probes:
        at, found = finite(probe.get("step")), probe.get(measured.name)
        if at is not None and isinstance(found, Mapping):
            figure = Figure.of({**found, "n": probe.get("n")})
            if figure.value is not None:
                yield at, figure


def _probe_row(measured: Measured, step: float, figure: Figure) -> Row:
    return f"{step:,.0f}", measured.written(figure.value), figure.span, f"{figure.n:,}"


def _spread(rows: tuple[Row, ...], most: int = 8) -> tuple[Row, ...]:
    """At most so many rows, the first and the last among them."""
    if len(rows) <= most:
        return rows
    return tuple(rows[round(place * (len(rows) - 1) / (most - 1))] for place in range(most))


def _edges(figure: Figure) -> list[float]:
    return [value for value in (figure.value, figure.low, figure.high) if value is not None]


def _listed(stored: Any) -> list[Stored]:
    return [one for one in stored if isinstance(one, Mapping)] if isinstance(stored, list) else []
