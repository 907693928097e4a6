"""Charts as SVG inside a page: drawn here, coloured by the style sheet, told to who cannot see them.

A part says its label, its value and the class of its colour (`c-alive`, `c-hard`, ...: see
static/style.css). Sizes are attributes, never styles, which the policy of our pages refuses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from markupsafe import Markup

WIDTH: Final = 600.0  # units across; the style sheet stretches it
THIN: Final = 2.0  # units that the smallest part gets, so that one in a million is seen
GAP: Final = 1.5


class Part(NamedTuple):
    """One part of a bar: `tone` is the name of its colour."""

    label: str
    value: int
    tone: str


class Column(NamedTuple):
    """One column of a trend, from the bottom up, with the address it leads to."""

    label: str
    parts: Sequence[Part]
    href: str | None = None


class Mark(NamedTuple):
    """One mark of a strip."""

    label: str
    tone: str


def bar(name: str, title: str, parts: Sequence[Part], *, height: int = 28) -> Markup:
    """One bar that is divided as its parts are; `name` is unique in its page."""
    total = sum(part.value for part in parts)
    desc = ", ".join(f"{part.label} {part.value:,}" for part in parts) or "nothing"
    drawn = Markup().join(
        _box((x, 0), (width, height), part.tone, f"{part.label}: {part.value:,} ({part.value / total:.1%})")
        for part, x, width in _shares([part for part in parts if part.value])
    )
    return _frame((name, title, desc), (WIDTH, height), drawn, "bar")


def trend(name: str, title: str, columns: Sequence[Column], *, height: int = 160) -> Markup:
    """Stacked columns side by side, the oldest first, all to the scale of the highest."""
    most = max((sum(part.value for part in column.parts) for column in columns), default=0)
    step = WIDTH / max(len(columns), 12)
    drawn = Markup().join(
        _linked(column, Markup().join(_stack(column, number * step, step - GAP, height, most)))
        for number, column in enumerate(columns)
    )
    desc = "; ".join(_told(column) for column in columns[:: max(len(columns) - 1, 1)])
    return _frame((name, title, desc or "nothing yet"), (WIDTH, height), drawn, "trend")


def strip(name: str, title: str, marks: Sequence[Mark], *, height: int = 24) -> Markup:
    """One narrow mark for each check of a history, the oldest first."""
    step = min(14.0, WIDTH / max(len(marks), 1))
    drawn = Markup().join(
        _box((number * step, 0), (max(step - GAP, step / 2), height), mark.tone, mark.label)
        for number, mark in enumerate(marks)
    )
    desc = f"{len(marks)} checks; the last: {marks[-1].label}" if marks else "no check yet"
    return _frame((name, title, desc), (max(step * len(marks), step), height), drawn, "strip")


def _frame(told: tuple[str, str, str], size: tuple[float, float], drawn: Markup, kind: str) -> Markup:
    name, title, desc = told
    return Markup(
        '<svg class="chart {kind}" role="img" aria-labelledby="{name}-t {name}-d" '
        'viewBox="0 0 {width:g} {height:g}" preserveAspectRatio="none">'
        '<title id="{name}-t">{title}</title><desc id="{name}-d">{desc}</desc>{drawn}</svg>'
    ).format(kind=kind, name=name, width=size[0], height=size[1], title=title, desc=desc, drawn=drawn)


def _box(at: tuple[float, float], size: tuple[float, float], tone: str, label: str) -> Markup:
    return Markup(
        '<rect class="c-{}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"><title>{}</title></rect>'
    ).format(tone, *at, *size, label)


def _shares(parts: Sequence[Part]) -> Iterator[tuple[Part, float, float]]:
    """Where each part begins, and how wide it is: by its value, but never too thin to be seen."""
    total = sum(part.value for part in parts)
    widths = [max(THIN, WIDTH * part.value / total) for part in parts]
    scale, x = WIDTH / sum(widths) if widths else 1.0, 0.0
    for part, width in zip(parts, widths, strict=True):
        yield part, x, max(width * scale - GAP, GAP)
        x += width * scale


def _stack(column: Column, x: float, width: float, height: int, most: int) -> Iterator[Markup]:
    bottom = float(height)
    for part in column.parts:
        tall = height * part.value / most if most else 0.0
        if part.value:
            bottom -= tall
            label = f"{column.label}: {part.label} {part.value:,}"
            yield _box((x, bottom), (width, max(tall, 1.0)), part.tone, label)


def _linked(column: Column, drawn: Markup) -> Markup:
    if column.href is None:
        return drawn
    return Markup('<a href="{}" aria-label="{}">{}</a>').format(column.href, _told(column), drawn)


def _told(column: Column) -> str:
    return f"{column.label}: " + ", ".join(f"{part.label} {part.value:,}" for part in column.parts)
