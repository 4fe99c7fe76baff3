"""What training looks like: each chart is a drawing, one sentence, and the same numbers as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from django.utils.safestring import SafeString

from analyzer.admin.rows import CATEGORY_LABELS
from training.drawing import BELOW, LEFT, RIGHT, TOP, WIDTH, Canvas, Scale, axes, share_ticks, shares, spaced
from training.figures import NOTHING, Figure, finite, percent

if TYPE_CHECKING:
    from training.monitoring import Week

Row = tuple[str, ...]
Stored = Mapping[str, Any]

HEIGHT: Final = 250.0
HEATS: Final = 5


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of two versions on the same items, and the paired difference. Only a share can be drawn."""

    label: str
    candidate: Figure
    active: Figure
    delta: Figure
    share: bool = True


@dataclass(frozen=True, slots=True)
class Chart:
    """svg is empty where there is nothing to draw; sentence then says why. more: rows that few want to see.

    The first cell of a row names it.
    """

    key: str
    title: str
    sentence: str
    svg: SafeString = field(default_factory=SafeString)
    head: Row = ()
    rows: tuple[Row, ...] = ()
    more: tuple[Row, ...] = ()


def learning_curve(points: Sequence[Stored], *, key: str = "learning") -> Chart:
    """Accuracy against the number of reviews learned from, with its interval as a band."""
    title = "Learning curve"
    curve = sorted(
        ((n, Figure.of({**point, "value": point.get("accuracy")}), point) for point, n in _numbered(points, "n")),
        key=lambda found: found[0],
    )
    known = [(n, figure, point) for n, figure, point in curve if figure.value is not None]
    rows = tuple(
        (f"{n:,.0f}", figure.percent, figure.span, percent(finite(point.get("macro_f1")))) for n, figure, point in known
    )
    if len(known) < 2:
        return Chart(key, title, "No learning curve was measured in this run.")
    (fewest, first, _), (most, last, point) = known[0], known[-1]
    items = finite(point.get("items"))
    sentence = (
        f"With {fewest:,.0f} reviews {first.percent} are right, with {most:,.0f} reviews {last.percent}"
        f"{f' (of {items:,.0f} validation items)' if items else ''}. The band is the 95 % interval."
    )
    canvas = Canvas(HEIGHT)
    x = Scale(fewest, most, LEFT, RIGHT, root=True)
    y = shares([edge for _, figure, _ in known for edge in _edges(figure)], HEIGHT - BELOW, TOP)
    across = spaced([(n, f"{n:,.0f}") for n, _, _ in known], x)
    axes(canvas, x=x, y=y, across=across, up=share_ticks(y), names=("reviews learned from", "right category"))
    banded = [
        (x.at(n), y.at(figure.low), y.at(figure.high))
        for n, figure, _ in known
        if figure.low is not None and figure.high is not None
    ]
    canvas.path(
        [*((place, high) for place, _, high in banded), *((place, low) for place, low, _ in reversed(banded))],
        "plot-band",
        closed=True,
    )
    _series(canvas, [(x.at(n), y.at(figure.value or 0.0)) for n, figure, _ in known])
    head = ("reviews", "right", "95 % interval", "macro-F1")
    return Chart(key, title, sentence, canvas.svg(key=key, title=title, description=sentence), head, rows)


def reliability(bins: Sequence[Stored], ece: Stored | None, *, key: str = "reliability") -> Chart:
    """How often the machine was right against how sure it was; each dot's area is its number of items."""
    title = "Reliability"
    known = []
    for part, confidence in _numbered(bins, "confidence"):
        accuracy, n = finite(part.get("accuracy")), finite(part.get("n"))
        if accuracy is not None and n and 0 <= accuracy <= 1 <= n:
            known.append((confidence, Figure.share(round(accuracy * n), round(n))))
    if not known:
        return Chart(key, title, "Reliability was not measured.")
    error = Figure.of(ece)
    total = sum(right.n for _, right in known)
    sentence = f"On the dashed line a machine is right as often as it says (n = {total:,}; lines: 95 % intervals)."
    if error.value is not None:
        apart = f"{100 * error.value:.1f} points (95 % interval {error.span})"
        sentence = f"Confidence and outcome are {apart} apart on average, the ECE. {sentence}"
    canvas = Canvas(HEIGHT)
    low = min(*(confidence for confidence, _ in known), *(right.value or 0.0 for _, right in known))
    x, y = shares([low, 1.0], LEFT, RIGHT), shares([low, 1.0], HEIGHT - BELOW, TOP)
    axes(canvas, x=x, y=y, across=spaced(share_ticks(x), x), up=share_ticks(y), names=("confidence", "right category"))
    canvas.line(x.at(x.low), y.at(y.low), x.at(x.high), y.at(y.high), "plot-ideal")
    largest = max(right.n for _, right in known)
    for confidence, right in known:
        canvas.line(x.at(confidence), y.at(right.low or 0.0), x.at(confidence), y.at(right.high or 0.0), "plot-whisker")
        canvas.dot(
            x.at(confidence), y.at(right.value or 0.0), "plot-dot", radius=max(2.5, 6.5 * (right.n / largest) ** 0.5)
        )
    rows = tuple((percent(confidence), right.percent, right.span, f"{right.n:,}") for confidence, right in known)
    head = ("confidence", "right", "95 % interval", "n")
    return Chart(key, title, sentence, canvas.svg(key=key, title=title, description=sentence), head, rows)


def confusion(counts: Mapping[str, Stored], *, key: str = "confusion") -> Chart:
    """How often people said one category and the machine another; darker is a larger share of the row."""
    title = "Confusion matrix"
    names = list(counts)
    table = {truth: {said: max(0, round(finite(counts[truth].get(said)) or 0)) for said in names} for truth in names}
    totals = {truth: sum(row.values()) for truth, row in table.items()}
    everything = sum(totals.values())
    if not everything:
        return Chart(key, title, "There is no confusion matrix: no item was judged.")
    right = sum(table[name][name] for name in names)
    sentence = (
        f"{right:,} of {everything:,} held-out items are on the diagonal: people and machine say the same. "
        "Rows are what people said, columns what the machine said."
    )
    left, top, row_height = 82.0, 72.0, 28.0
    width = (WIDTH - left - 10) / len(names)
    canvas = Canvas(top + row_height * len(names) + 2)
    canvas.text(0, 13, "machine said →", css="plot-name")
    canvas.text(0, 31, "people said ↓", css="plot-name")
    for column, said in enumerate(names):
        place = left + width * (column + 0.5)
        canvas.draw(
            "text", "plot-text", _label(said), x=place, y=top - 6, transform=f"rotate(-40 {place:.1f} {top - 6:.1f})"
        )
    for row, truth in enumerate(names):
        upper = top + row_height * row
        canvas.text(left - 6, upper + 19, _label(truth), anchor="end")
        for column, said in enumerate(names):
            count = table[truth][said]
            heat = round(HEATS * count / totals[truth]) if count else 0
            same = " is-same" if truth == said else ""
            canvas.draw(
                "rect",
                f"plot-heat is-{heat}{same}",
                x=left + width * column + 1,
                y=upper + 1,
                width=width - 2,
                height=row_height - 2,
            )
            canvas.text(
                left + width * (column + 0.5), upper + 19, str(count), anchor="middle", css=f"plot-count is-{heat}"
            )
    rows = []
    for truth in names:
        others = [(count, said) for said, count in table[truth].items() if count and said != truth]
        others.sort(key=lambda found: -found[0])
        taken = ", ".join(f"{_label(said)} {count}" for count, said in others) or "nothing else"
        rows.append((_label(truth), f"{totals[truth]:,}", f"{table[truth][truth]:,}", taken))
    description = (
        sentence + " " + " ".join(f"{name}: {same} of {n} right, else {taken}." for name, n, same, taken in rows)
    )
    head = ("people said", "n", "agreed", "machine said instead")
    return Chart(key, title, sentence, canvas.svg(key=key, title=title, description=description), head, tuple(rows))


def coverage(
    curve: Sequence[Stored], reached: Mapping[str, Stored], intervals: Stored, *, key: str = "coverage"
) -> Chart:
    """How often the machine is right on the share of items it is surest of, with the thresholds for 90 and 95 %."""
    title = "Coverage and precision"
    points = [
        (share, precision, point)
        for point, share in _numbered(curve, "coverage")
        if (precision := finite(point.get("precision"))) is not None
    ]
    if not points:
        return Chart(key, title, "Coverage was not measured.")
    canvas = Canvas(HEIGHT)
    x = Scale(0.0, 1.0, LEFT, RIGHT)
    y = shares([0.8, *(precision for _, precision, _ in points)], HEIGHT - BELOW, TOP)
    axes(
        canvas,
        x=x,
        y=y,
        across=share_ticks(x),
        up=share_ticks(y),
        names=("share of items, surest first", "right category"),
    )
    canvas.path([(x.at(share), y.at(precision)) for share, precision, _ in points], "plot-line")
    rows, said = [], []
    for step, (target, point) in enumerate(sorted(reached.items())):
        wanted, share, threshold = (
            finite(float(target)) or 0.0,
            finite(point.get("coverage")),
            finite(point.get("threshold")),
        )
        interval = Figure.of(intervals.get(f"coverage_{target}"))
        name = f"{100 * wanted:.0f} % right"
        if threshold is None or not share:
            said.append(f"{name} is not reached at any threshold.")
            rows.append((name, "not reached", NOTHING, NOTHING, "0"))
            continue
        said.append(f"{name}: the surest {percent(share, places=0)} of items, from confidence {threshold:.2f}.")
        rows.append((name, percent(share), interval.span, f"{threshold:.2f}", f"{finite(point.get('n')) or 0:,.0f}"))
        place, height = x.at(share), y.at(finite(point.get("precision")) or wanted)
        canvas.line(place, height, place, y.start, "plot-ideal")
        canvas.dot(place, height, "plot-dot")
        # Beside its line, on the side that has room, each on a line of its own.
        anchor, gap = ("end", -5.0) if share > 0.5 else ("start", 5.0)
        canvas.text(
            place + gap,
            y.start - 8 - 18 * step,
            f"{100 * wanted:.0f} % from {threshold:.2f}",
            anchor=anchor,
            css="plot-name",
        )
    sentence = " ".join(said)
    more = tuple(
        (
            percent(precision),
            percent(share),
            NOTHING,
            f"{finite(point.get('threshold')) or 0:.3f}",
            f"{finite(point.get('n')) or 0:,.0f}",
        )
        for share, precision, point in points
    )
    head = ("right", "coverage", "95 % interval", "confidence", "n")
    return Chart(key, title, sentence, canvas.svg(key=key, title=title, description=sentence), head, tuple(rows), more)


def comparison(measures: Sequence[Measure], *, names: tuple[str, str], key: str = "comparison") -> Chart:
    """Candidate and active version on the same items, figure by figure, with intervals; names are theirs."""
    title = "On the same held-out items"
    drawn = [
        measure
        for measure in measures
        if measure.share and measure.candidate.value is not None and measure.active.value is not None
    ]
    if not drawn:
        return Chart(key, title, "Nothing was measured on held-out items in this run.")
    sentence = (
        f"{names[0].capitalize()} beside {names[1]}. Lines are 95 % intervals of each; the difference is paired, item "
        "by item, in points of a hundred."
    )
    canvas = Canvas(60 + 44.0 * len(drawn))
    edges = [edge for measure in drawn for edge in (*_edges(measure.candidate), *_edges(measure.active))]
    x = shares(edges, 16.0, RIGHT - 8)
    bottom = canvas.height - 24
    for value, label in share_ticks(x):
        canvas.line(x.at(value), 24, x.at(value), bottom, "plot-grid")
        canvas.text(x.at(value), bottom + 17, label, anchor="middle")
    _legend(canvas, *names)
    for step, measure in enumerate(drawn):
        upper = 38 + 44.0 * step
        canvas.text(2, upper + 2, measure.label)
        for figure, line in ((measure.candidate, upper + 12), (measure.active, upper + 24)):
            if figure.low is not None and figure.high is not None:
                canvas.line(x.at(figure.low), line, x.at(figure.high), line, "plot-whisker")
        canvas.dot(x.at(measure.candidate.value or 0.0), upper + 12, "plot-dot")
        canvas.square(x.at(measure.active.value or 0.0), upper + 24, "plot-square")
    rows = tuple(
        (
            measure.label,
            measure.candidate.percent,
            measure.candidate.span,
            measure.active.percent,
            measure.active.span,
            measure.delta.points,
            measure.delta.signed_span,
            f"{measure.candidate.n:,}",
        )
        for measure in measures
    )
    interval = "95 % interval"
    head = ("figure", names[0], interval, names[1], interval, "difference", interval, "n")
    return Chart(key, title, sentence, canvas.svg(key=key, title=title, description=sentence), head, rows)


def over_time(weeks: Sequence[Week], *, key: str = "weeks") -> Chart:
    """How often people kept the machine's category, and the mean reward, week by week, over n decisions each."""
    title = "Agreement and reward by week"
    judged = [week for week in weeks if week.n]
    if not judged:
        return Chart(key, title, f"No decision on an analysis in the last {len(weeks)} weeks.")
    latest = judged[-1]
    sentence = (
        f"In the week of {_day(latest)} people kept the category of {latest.kept} of {latest.n} "
        f"({percent(latest.kept_share)}); mean reward {percent(latest.reward)}."
    )
    canvas = Canvas(HEIGHT + 4)
    x = Scale(0, max(1, len(weeks) - 1), LEFT + 12, RIGHT - 14)
    floor = HEIGHT - 84
    y = shares(
        [value for week in judged for value in (week.kept_share, week.reward) if value is not None], floor, TOP + 16
    )
    axes(canvas, x=Scale(0, 1, LEFT, RIGHT), y=y, across=(), up=share_ticks(y), names=("", ""))
    _legend(canvas, "category kept", "mean reward")
    for values, css in (
        ([week.reward for week in weeks], "plot-line is-second"),
        ([week.kept_share for week in weeks], "plot-line"),
    ):
        for piece in _pieces(values):
            _series(canvas, [(x.at(place), y.at(value)) for place, value in piece], css)
    most, ground = max(week.n for week in weeks), HEIGHT - 18
    canvas.text(LEFT - 5, ground - 4, "n", anchor="end", css="plot-name")
    for place, week in enumerate(weeks):
        height = 30 * week.n / most
        canvas.draw("rect", "plot-bar", x=x.at(place) - 9, y=ground - height, width=18, height=height)
        canvas.text(x.at(place), ground - height - 4, f"{week.n:,}", anchor="middle")
        if place % 2 == (len(weeks) - 1) % 2:
            canvas.text(x.at(place), ground + 18, _day(week), anchor="middle")
    canvas.line(LEFT, ground, RIGHT, ground, "plot-axis")
    rows = tuple(
        (
            _day(week),
            Figure.share(week.kept, week.n).percent,
            Figure.share(week.kept, week.n).span,
            percent(week.reward),
            f"{week.n:,}",
        )
        for week in weeks
    )
    head = ("week of", "kept", "95 % interval", "reward", "n")
    return Chart(key, title, sentence, canvas.svg(key=key, title=title, description=sentence), head, rows)


def _series(canvas: Canvas, points: Sequence[tuple[float, float]], css: str = "plot-line") -> None:
    canvas.path(points, css)
    for x, y in points:
        if "second" in css:
            canvas.square(x, y, "plot-square")
        else:
            canvas.dot(x, y, "plot-dot")


def _legend(canvas: Canvas, first: str, second: str) -> None:
    """Which of two things is drawn as a dot, which as a square."""
    canvas.dot(6, 9, "plot-dot")
    canvas.text(15, 13.5, first, css="plot-name")
    canvas.square(WIDTH / 2 + 6, 9, "plot-square")
    canvas.text(WIDTH / 2 + 15, 13.5, second, css="plot-name")


def _pieces(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """Runs of neighbours that are known: a line must not be drawn through a week without decisions."""
    pieces: list[list[tuple[int, float]]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append((place, value))
    return [piece for piece in pieces if piece]


def _numbered(stored: Sequence[Stored], name: str) -> list[tuple[Stored, float]]:
    """The stored points that have this number."""
    return [(point, value) for point in stored if (value := finite(point.get(name))) is not None]


def _edges(figure: Figure) -> list[float]:
    return [value for value in (figure.value, figure.low, figure.high) if value is not None]


def _label(category: str) -> str:
    return CATEGORY_LABELS.get(category, category)


def _day(week: Week) -> str:
    return f"{week.start.day} {week.start:%b}"
