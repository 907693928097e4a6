"""The runs: what ran when, how it ended, what it changed."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from crawler.dashboard.page import DashboardPage, PagedQuery, Paging, paged
from storage.frozen import frozen
from storage.model import Run
from storage.queries import dashboard as queries
from storage.queries.dashboard import StateChangeCounts
from storage.queries.report import count_runs

RUNS_PER_PAGE: Final = 25


class RunsQuery(PagedQuery, frozen=True, kw_only=True):
    """Which page of the runs."""


@frozen
class RunRow:
    """One run, the seconds it took (None if it did not end), and the changes of state it found."""

    run: Run
    took: float | None
    turns: tuple[StateChangeCounts, ...]


@frozen
class RunList:
    """One page of runs, the newest first."""

    paging: Paging
    runs: tuple[RunRow, ...]


def runs(engine: sa.Engine, query: RunsQuery) -> RunList:
    """One page of the runs.

    Raises:
        Beyond: there is no such page.
        LedgerError: the database cannot be read.
    """
    paging = paged(query.page, count_runs(engine), RUNS_PER_PAGE)
    newest_runs = queries.latest_runs(engine, limit=RUNS_PER_PAGE, skip=(query.page - 1) * RUNS_PER_PAGE)
    return RunList(paging, tuple(_run_row(engine, run) for run in newest_runs))


def _run_row(engine: sa.Engine, run: Run) -> RunRow:
    seconds = None if run.finished_at is None else (run.finished_at - run.started_at).total_seconds()
    return RunRow(run, seconds, tuple(queries.turns(engine, run.id)))


RUNS_PAGE = DashboardPage(
    name="runs",
    title="Runs",
    summary="What ran when, how it ended, and which states it changed; the newest first.",
    template="runs.html",
    query=RunsQuery,
    result=RunList,
    data=runs,
)
