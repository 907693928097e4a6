"""The runs: what ran when, how it ended, what it changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from crawler.dashboard.page import Page, Paged, Paging, paged
from storage import queries
from storage.model import Run
from storage.queries import Turns

SIZE: Final = 25


class RunsQuery(Paged, frozen=True, kw_only=True):
    """Which page of the runs."""


@dataclass(frozen=True, slots=True)
class Ran:
    """One run, the seconds it took (None if nobody knows), and the changes of state it found."""

    run: Run
    took: float | None
    turns: tuple[Turns, ...]


@dataclass(frozen=True, slots=True)
class Runs:
    """One page of runs, the newest first."""

    paging: Paging
    runs: tuple[Ran, ...]


def runs(engine: sa.Engine, query: RunsQuery) -> Runs:
    """One page of the runs.

    Raises:
        Beyond: there is no such page.
        LedgerError: the database cannot be read.
    """
    paging = paged(query.page, queries.count_runs(engine), SIZE)
    some = queries.latest_runs(engine, most=SIZE, skip=(query.page - 1) * SIZE)
    return Runs(paging, tuple(_ran(engine, run) for run in some))


def _ran(engine: sa.Engine, run: Run) -> Ran:
    took = None if run.finished_at is None else (run.finished_at - run.started_at).total_seconds()
    return Ran(run, took, tuple(queries.turns(engine, run.id)))


RUNS = Page(
    name="runs",
    title="Runs",
    summary="What ran when, how it ended, and which states it changed; the newest first.",
    template="runs.html",
    query=RunsQuery,
    result=Runs,
    data=runs,
)
