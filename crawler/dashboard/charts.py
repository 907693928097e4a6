"""Charts as SVG inside a page: drawn here, coloured by the style sheet, described for screen readers.

A part says its label, its value and the class of its colour (`c-alive`, `c-hard`, ...: see
static/style.css). Sizes are attributes, never styles, which the policy of our pages refuses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from markupsafe import Markup

CHART_WIDTH: Final = 600.0  # units across; the style sheet stretches it
MIN_PART_WIDTH: Final = 2.0  # units that the smallest part gets, so that one in a million is seen
PART_GAP: Final = 1.5


class BarPart(NamedTuple):
    """One part of a bar: `tone` is the name of its colour."""

    label: str
    value: int
    tone: str


class TrendColumn(NamedTuple):
    """One column of a trend, from the bottom up, with the address it leads to."""

    label: str
    parts: Sequence[BarPart]
    href: str | None = None


class StripMark(NamedTuple):
    """One mark of a strip."""

    label: str
    tone: str


def bar(name: str, title: str, parts: Sequence[BarPart], *, height: int = 28) -> Markup:
    """One bar that is divided as its parts are; `name` is unique in its page."""
    total = sum(part.value for part in parts)
    desc = ", ".join(f"{part.label} {part.value:,}" for part in parts) or "nothing"
    shapes = Markup().join(
        _box((x, 0), (width, height), part.tone, f"{part.label}: {part.value:,} ({part.value / total:.1%})")
        for part, x, width in _shares([part for part in parts if part.value])
    )
    return _frame((name, title, desc), (CHART_WIDTH, height), shapes, "bar")


def trend(name: str, title: str, columns: Sequence[TrendColumn], *, height: int = 160) -> Markup:
    """Stacked columns side by side, the oldest first, all to the scale of the highest."""
    highest = max((sum(part.value for part in column.parts) for column in columns), default=0)
    step = CHART_WIDTH / max(len(columns), 12)
    shapes = Markup().join(
        _linked(column, Markup().join(_stack(column, number * step, step - PART_GAP, height, highest)))
        for number, column in enumerate(columns)
    )
    desc = "; ".join(_column_text(column) for column in columns[:: max(len(columns) - 1, 1)])
    return _frame((name, title, desc or "nothing yet"), (CHART_WIDTH, height), shapes, "trend")


def strip(name: str, title: str, marks: Sequence[StripMark], *, height: int = 24) -> Markup:
    """One narrow mark for each check of a history, the oldest first."""
    step = min(14.0, CHART_WIDTH / max(len(marks), 1))
    shapes = Markup().join(
        _box((number * step, 0), (max(step - PART_GAP, step / 2), height), mark.tone, mark.label)
        for number, mark in enumerate(marks)
    )
    desc = f"{len(marks)} checks; the last: {marks[-1].label}" if marks else "no check yet"
    return _frame((name, title, desc), (max(step * len(marks), step), height), shapes, "strip")


def _frame(texts: tuple[str, str, str], size: tuple[float, float], shapes: Markup, kind: str) -> Markup:
    name, title, desc = texts
    return Markup(
        '<svg class="chart {kind}" role="img" aria-labelledby="{name}-t {name}-d" '
        'viewBox="0 0 {width:g} {height:g}" preserveAspectRatio="none">'
        '<title id="{name}-t">{title}</title><desc id="{name}-d">{desc}</desc>{drawn}</svg>'
    ).format(kind=kind, name=name, width=size[0], height=size[1], title=title, desc=desc, drawn=shapes)


def _box(at: tuple[float, float], size: tuple[float, float], tone: str, label: str) -> Markup:
    return Markup(
        '<rect class="c-{}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"><title>{}</title></rect>'
    ).format(tone, *at, *size, label)


def _shares(parts: Sequence[BarPart]) -> Iterator[tuple[BarPart, float, float]]:
    """Where each part begins, and how wide it is: by its value, but never too thin to be seen."""
    total = sum(part.value for part in parts)
    widths = [max(MIN_PART_WIDTH, CHART_WIDTH * part.value / total) for part in parts]
    scale, x = CHART_WIDTH / sum(widths) if widths else 1.0, 0.0
    for part, width in zip(parts, widths, strict=True):
        yield part, x, max(width * scale - PART_GAP, PART_GAP)
        x += width * scale


def _stack(column: TrendColumn, x: float, width: float, height: int, highest: int) -> Iterator[Markup]:
    bottom = float(height)
    for part in column.parts:
        tall = height * part.value / highest if highest else 0.0
        if part.value:
            bottom -= tall
            label = f"{column.label}: {part.label} {part.value:,}"
            yield _box((x, bottom), (width, max(tall, 1.0)), part.tone, label)


def _linked(column: TrendColumn, shapes: Markup) -> Markup:
    if column.href is None:
        return shapes
    return Markup('<a href="{}" aria-label="{}">{}</a>').format(column.href, _column_text(column), shapes)


def _column_text(column: TrendColumn) -> str:
    return f"{column.label}: " + ", ".join(f"{part.label} {part.value:,}" for part in column.parts)
