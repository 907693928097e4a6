"""The hosts as one run found them: how fast they were, how long they had us wait, what failed."""

from __future__ import annotations

from typing import Annotated, Final

import sqlalchemy as sa
from msgspec import Meta

from crawler.dashboard.page import DashboardPage, NotFound, PagedQuery, Paging, paged
from storage.frozen import frozen
from storage.model import Run
from storage.queries import dashboard as queries
from storage.queries.dashboard import HostOrder, HostTally, HostTotals

HOSTS_PER_PAGE: Final = 50
SELECTABLE_RUNS: Final = 50  # runs to choose from
Number = Annotated[
    int, Meta(ge=1, le=2**31 - 1, description="Which run. Default: the newest that is counted.")
]
Name = Annotated[str, Meta(max_length=253, description="A part of the name; case does not count.")]


class HostsQuery(PagedQuery, frozen=True, kw_only=True):
    """Which hosts of which run, and in which order: by name, or the most of something first."""

    run: Number | None = None
    search: Name = ""
    sort: HostOrder = HostOrder.ERRORS


@frozen
class HostList:
    """One page of the hosts of a run; `runs` are the newest that are counted, the newest first.

    `run` is None before any is counted. `totals` are those of all hosts that fit the search.
    """

    paging: Paging
    run: Run | None
    runs: tuple[int, ...]
    totals: HostTotals
    hosts: tuple[HostTally, ...]


def hosts(engine: sa.Engine, query: HostsQuery) -> HostList:
    """One page of the hosts that fit.

    Raises:
        Missing: there is no such run.
        Beyond: there is no such page.
        LedgerError: the database cannot be read.
    """
    runs = queries.counted_runs(engine, limit=SELECTABLE_RUNS)
    number = query.run or (runs[0] if runs else 0)
    run = queries.one_run(engine, number)
    if run is None and query.run is not None:
        raise NotFound(f"There is no run {query.run}: the page of the runs lists them.")
    search = query.search.strip()
    totals = queries.host_totals(engine, number, search=search)
    paging, skip = paged(query.page, totals.hosts, HOSTS_PER_PAGE), (query.page - 1) * HOSTS_PER_PAGE
    tallies = queries.hosts(engine, number, query.sort, search=search, limit=HOSTS_PER_PAGE, skip=skip)
    return HostList(paging, run, tuple(runs), totals, tuple(tallies))


HOSTS_PAGE = DashboardPage(
    name="hosts",
    title="Hosts",
    summary="The hosts of a run: rate, errors, waits, times, and which were down.",
    template="hosts.html",
    query=HostsQuery,
    result=HostList,
    data=hosts,
)
