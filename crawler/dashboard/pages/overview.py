"""The overview: how all targets stand, how that came, what is new, and the run that goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from crawler.dashboard.live import Moment, look
from crawler.dashboard.page import Page, Query
from storage import queries
from storage.model import Class, Kind, Run, State
from storage.queries import WORST_FIRST, Count, Turn, Turns

TREND: Final = 30  # runs
NEWS: Final = 8  # targets of each kind of news


class OverviewQuery(Query, frozen=True, kw_only=True):
    """The overview takes no parameters."""


@dataclass(frozen=True, slots=True)
class Point:
    """How all targets stood when a run had ended, by class."""

    run: int
    classes: dict[str, int]

    @property
    def problems(self) -> dict[str, int]:
        """The same without those that are alive, which would hide the others in a chart."""
        return problems(self.classes)


@dataclass(frozen=True, slots=True)
class Overview:
    """What the overview shows; `counted` is the run that counted, None before the first has ended.

    `kinds` tells the classes of each kind, `trend` the classes run by run, the oldest first.
    """

    targets: int
    counted: int | None
    states: dict[State, int]
    classes: dict[str, int]
    verdicts: dict[str, int]
    kinds: dict[Kind, dict[str, int]]
    trend: tuple[Point, ...]
    turns: tuple[Turns, ...]
    news: tuple[Turn, ...]
    latest: Run | None
    live: Moment | None

    @property
    def problems(self) -> dict[str, int]:
        """Targets by class, without those that are alive."""
        return problems(self.classes)


def overview(engine: sa.Engine, _: OverviewQuery) -> Overview:
    """The figures of the newest tally, and what the newest run changed.

    Raises:
        LedgerError: the database cannot be read.
    """
    counts = queries.standings(engine, runs=TREND)
    run = max((one.run for one in counts), default=None)
    now = [one for one in counts if one.run == run]
    live = look(engine)
    latest = queries.latest_runs(engine, most=1)
    return Overview(
        sum(one.targets for one in now),
        run,
        {state: sum(one.targets for one in now if one.state is state) for state in State},
        _classes(now),
        _verdicts(now),
        {kind: _classes([one for one in now if one.kind is kind]) for kind in Kind},
        tuple(_trend(counts)),
        tuple(queries.turns(engine, run) if run else ()),
        tuple(queries.latest_turns(engine, run, most=NEWS) if run else ()),
        latest[0] if latest else None,
        live if live is not None and live.ended is None else None,
    )


def problems(classes: Mapping[str, int]) -> dict[str, int]:
    """Counts by class without the alive ones."""
    return {name: count for name, count in classes.items() if name != Class.ALIVE.value}


def _classes(counts: Sequence[Count]) -> dict[str, int]:
    """Targets by class, the worst first, those without any left out."""
    found: dict[str, int] = {}
    for one in counts:
        found[one.verdict.cls.value] = found.get(one.verdict.cls.value, 0) + one.targets
    return {cls.value: found[cls.value] for cls in WORST_FIRST if cls.value in found}


def _verdicts(counts: Sequence[Count]) -> dict[str, int]:
    """Targets by verdict, the most first."""
    found: dict[str, int] = {}
    for one in counts:
        found[one.verdict.value] = found.get(one.verdict.value, 0) + one.targets
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def _trend(counts: Sequence[Count]) -> list[Point]:
    runs: dict[int, list[Count]] = {}
    for one in counts:
        runs.setdefault(one.run, []).append(one)
    return [Point(run, _classes(some)) for run, some in sorted(runs.items())]


OVERVIEW = Page(
    name="",
    title="Overview",
    summary="How all targets stand, how that came, and what the newest run changed.",
    template="overview.html",
    query=OverviewQuery,
    result=Overview,
    data=overview,
)
