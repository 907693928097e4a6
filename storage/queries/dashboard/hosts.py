"""Hosts for a page, as runs that ended counted them: searched, sorted and cut by the database."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import sqlalchemy as sa

from storage.db import schema
from storage.db.sql import SqlColumn
from storage.db.transactions import reading
from storage.frozen import frozen
from storage.model import Run


class HostOrder(StrEnum):
    """What comes first in a list of hosts: the name, or the most of something."""

    ERRORS = "errors"
    TARGETS = "targets"
    REQUESTS = "requests"
    RATE = "rate"
    WAITED = "waited"
    SPARED = "spared"
    MEDIAN = "p50"
    SLOW = "p95"
    SLOWEST = "slowest"
    BYTES = "bytes"
    HOST = "host"


@frozen
class HostTally:
    """What one run found on one host.

    `errors` counts targets with something wrong, `spared` those that were not asked themselves since
    their host was down. `rate` is requests a second, None for a single moment; `waited` seconds of
    back-off and Retry-After. `p50`, `p95` and `slowest` are the seconds within which half, 95 % and
    all of its targets were checked, None where nothing was asked. `verdicts` counts targets.
    """

    host: str
    targets: int
    requests: int
    bytes: int
    errors: int
    spared: int
    waited: float
    rate: float | None
    p50: float | None
    p95: float | None
    slowest: float | None
    verdicts: dict[str, int]


@frozen
class HostTotals:
    """All hosts of a list together: `down` of them were, and `longest` is the slowest check in seconds."""

    hosts: int
    targets: int
    requests: int
    errors: int
    spared: int
    down: int
    waited: float
    longest: float


def hosts(
    engine: sa.Engine, run: int, order: HostOrder, *, search: str = "", limit: int, skip: int = 0
) -> list[HostTally]:
    """A part of the hosts of a run whose names have `search` in them, whatever its case.

    Raises:
        LedgerError: the database cannot be read.
    """
    table = schema.host_tally
    columns = [column for column in table.c if column.name != "run_id"]
    query = sa.select(*columns).where(*_fit(run, search)).order_by(*HOST_ORDERS[order], table.c.host)
    with reading(engine) as connection:
        return [HostTally(*row) for row in connection.execute(query.limit(limit).offset(skip))]


def host_totals(engine: sa.Engine, run: int, *, search: str = "") -> HostTotals:
    """The same hosts, summed.

    Raises:
        LedgerError: the database cannot be read.
    """
    table = schema.host_tally
    names = ("targets", "requests", "errors", "spared")
    sums = (sa.func.coalesce(sa.func.sum(table.c[name]), 0) for name in names)
    down = sa.func.coalesce(sa.func.sum(sa.case((table.c.spared > 0, 1), else_=0)), 0)
    wait = sa.func.coalesce(sa.func.sum(table.c.waited), 0.0)
    longest = sa.func.coalesce(sa.func.max(table.c.slowest), 0.0)
    query = sa.select(sa.func.count(), *sums, down, wait, longest).where(*_fit(run, search))
    with reading(engine) as connection:
        row = connection.execute(query).one()
    hosts, targets, requests, errors, spares, without = map(int, row[:6])
    return HostTotals(hosts, targets, requests, errors, spares, without, float(row[6]), float(row[7]))


def counted_runs(engine: sa.Engine, *, limit: int) -> list[int]:
    """The newest runs whose hosts are counted, the newest first.

    Raises:
        LedgerError: the database cannot be read.
    """
    run, table = schema.run, schema.host_tally
    tally = sa.exists().where(table.c.run_id == run.c.id)
    query = sa.select(run.c.id).where(tally).order_by(run.c.id.desc()).limit(limit)
    with reading(engine) as connection:
        return list(connection.execute(query).scalars())


def one_run(engine: sa.Engine, run: int) -> Run | None:
    """The run with this number; None if there is none.

    Raises:
        LedgerError: the database cannot be read.
    """
    table = schema.run
    columns = (table.c.id, table.c.command, table.c.started_at, table.c.finished_at, table.c.ended)
    with reading(engine) as connection:
        row = connection.execute(sa.select(*columns).where(table.c.id == run)).one_or_none()
        return None if row is None else Run(*row)


def _fit(run: int, search: str) -> list[sa.ColumnElement[bool]]:
    table = schema.host_tally
    conditions = [table.c.run_id == run]
    return [*conditions, table.c.host.icontains(search, autoescape=True)] if search else conditions


HOST_ORDERS: Final[Mapping[HostOrder, tuple[SqlColumn, ...]]] = {
    order: () if order is HostOrder.HOST else (schema.host_tally.c[order.value].desc().nulls_last(),)
    for order in HostOrder
}
