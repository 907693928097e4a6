"""The overview: how all targets stand, how that came, what is new, and the run that goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import sqlalchemy as sa

from crawler.dashboard.live import LiveSnapshot, live_snapshot
from crawler.dashboard.page import DashboardPage, PageQuery
from storage.frozen import frozen
from storage.model import Class, Kind, Run, State
from storage.queries import dashboard as queries
from storage.queries.dashboard import StandingCount, StateChange, StateChangeCounts
from storage.queries.report import WORST_FIRST

TREND_RUNS: Final = 30  # runs
NEWS_PER_KIND: Final = 8  # targets of each kind of news


class OverviewQuery(PageQuery, frozen=True, kw_only=True):
    """The overview takes no parameters."""


@frozen
class TrendPoint:
    """How all targets stood when a run had ended, by class."""

    run: int
    classes: dict[str, int]

    @property
    def problems(self) -> dict[str, int]:
        """The same without those that are alive, which would hide the others in a chart."""
        return problems(self.classes)


@frozen
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
    trend: tuple[TrendPoint, ...]
    turns: tuple[StateChangeCounts, ...]
    news: tuple[StateChange, ...]
    latest: Run | None
    live: LiveSnapshot | None

    @property
    def problems(self) -> dict[str, int]:
        """Targets by class, without those that are alive."""
        return problems(self.classes)


def overview(engine: sa.Engine, _: OverviewQuery) -> Overview:
    """The figures of the newest tally, and what the newest run changed.

    Raises:
        LedgerError: the database cannot be read.
    """
    counts = queries.standings(engine, runs=TREND_RUNS)
    run = max((count.run for count in counts), default=None)
    newest_counts = [count for count in counts if count.run == run]
    live = live_snapshot(engine)
    latest = queries.latest_runs(engine, limit=1)
    return Overview(
        sum(count.targets for count in newest_counts),
        run,
        {state: sum(count.targets for count in newest_counts if count.state is state) for state in State},
        _classes(newest_counts),
        _verdicts(newest_counts),
        {kind: _classes([count for count in newest_counts if count.kind is kind]) for kind in Kind},
        tuple(_trend(counts)),
        tuple(queries.turns(engine, run) if run else ()),
        tuple(queries.latest_turns(engine, run, limit=NEWS_PER_KIND) if run else ()),
        latest[0] if latest else None,
        live if live is not None and live.ended is None else None,
    )


def problems(classes: Mapping[str, int]) -> dict[str, int]:
    """Counts by class without the alive ones."""
    return {name: count for name, count in classes.items() if name != Class.ALIVE.value}


def _classes(counts: Sequence[StandingCount]) -> dict[str, int]:
    """Targets by class, the worst first, those without any left out."""
    targets_by_class: dict[str, int] = {}
    for count in counts:
        targets_by_class[count.verdict.cls.value] = (
            targets_by_class.get(count.verdict.cls.value, 0) + count.targets
        )
    return {cls.value: targets_by_class[cls.value] for cls in WORST_FIRST if cls.value in targets_by_class}


def _verdicts(counts: Sequence[StandingCount]) -> dict[str, int]:
    """Targets by verdict, the most first."""
    targets_by_verdict: dict[str, int] = {}
    for count in counts:
        targets_by_verdict[count.verdict.value] = (
            targets_by_verdict.get(count.verdict.value, 0) + count.targets
        )
    return dict(sorted(targets_by_verdict.items(), key=lambda pair: (-pair[1], pair[0])))


def _trend(counts: Sequence[StandingCount]) -> list[TrendPoint]:
    runs: dict[int, list[StandingCount]] = {}
    for count in counts:
        runs.setdefault(count.run, []).append(count)
    return [TrendPoint(run, _classes(run_counts)) for run, run_counts in sorted(runs.items())]


OVERVIEW_PAGE = DashboardPage(
    name="",
    title="Overview",
    summary="How all targets stand, how that came, and what the newest run changed.",
    template="overview.html",
    query=OverviewQuery,
    result=Overview,
    data=overview,
)
