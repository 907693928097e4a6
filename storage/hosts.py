"""What a run found on each host, counted once when it ends: a page sorts hosts without reading findings."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from storage import schema
from storage.database import reading, writing
from storage.model import SPARED
from storage.severity import POINTS
from storage.statements import chunks

SHARES: Final = {"p50": 50, "p95": 95, "slowest": 100}  # hundredths of the targets that took no longer
ERRORS: Final = [cls.value for cls in POINTS]
ROWS: Final = 5000  # hosts written in one statement


def count_hosts(engine: sa.Engine) -> int:
    """Count the findings of the newest run by host, and those of runs before it that were killed first.

    Runs before the first that was counted are left alone: their findings may have been thinned out.
    Returns how many hosts were counted.

    Raises:
        LedgerError: the database cannot take it.
    """
    return sum(_count(engine, run) for run in uncounted(engine))


def uncounted(engine: sa.Engine) -> list[int]:
    """The newest run, and all between it and the last before it whose hosts are counted.

    Raises:
        LedgerError: the database cannot be read.
    """
    run, table = schema.run, schema.host_tally
    with reading(engine) as connection:
        newest = connection.execute(sa.select(sa.func.max(run.c.id))).scalar()
        if newest is None:
            return []
        counted = connection.execute(sa.select(sa.func.max(table.c.run_id))).scalar() or 0
        after = min(counted, newest - 1) if counted else newest - 1
        later = sa.select(run.c.id).where(run.c.id > after).order_by(run.c.id)
        return list(connection.execute(later).scalars())


def _count(engine: sa.Engine, run: int) -> int:
    with reading(engine) as connection:
        times = {row["host"]: row for row in connection.execute(_times(run)).mappings()}
        hosts: dict[str, list[sa.RowMapping]] = {}
        for row in connection.execute(_verdicts(run)).mappings():
            hosts.setdefault(row["host"], []).append(row)
    rows = [_row(run, host, parts, times.get(host)) for host, parts in hosts.items()]
    with writing(engine) as connection:
        connection.execute(sa.delete(schema.host_tally).where(schema.host_tally.c.run_id == run))
        for some in chunks(rows, ROWS):
            connection.execute(sa.insert(schema.host_tally), some)
    return len(rows)


def _verdicts(run: int) -> sa.Select[Any]:
    """The findings of a run by host and verdict."""
    finding, host = schema.finding, schema.target.c.host
    waited = sa.func.coalesce(finding.c.evidence["waited"].as_float(), 0.0)
    asked = sa.case((finding.c.requests > 0, finding.c.checked_at))
    query = sa.select(
        host,
        finding.c.verdict,
        sa.func.count().label("targets"),
        sa.func.sum(finding.c.requests).label("requests"),
        sa.func.sum(finding.c.bytes).label("bytes"),
        sa.func.sum(sa.case((finding.c["class"].in_(ERRORS), 1), else_=0)).label("errors"),
        sa.func.sum(sa.case((finding.c.detail.startswith(SPARED), 1), else_=0)).label("spared"),
        sa.func.sum(waited).label("waited"),
        sa.func.min(asked, type_=schema.Moment).label("first"),
        sa.func.max(asked, type_=schema.Moment).label("last"),
    )
    return query.join(finding, _of(run)).group_by(host, finding.c.verdict).order_by(host, finding.c.verdict)


def _times(run: int) -> sa.Select[Any]:
    """Within which seconds the shares of the targets of each host were checked, by the nearest rank."""
    finding, host = schema.finding, schema.target.c.host
    place = sa.func.row_number().over(partition_by=host, order_by=finding.c.elapsed).label("place")
    each = sa.select(host, finding.c.elapsed, place, sa.func.count().over(partition_by=host).label("many"))
    asked = each.join(finding, _of(run)).where(finding.c.requests > 0).subquery()
    quantiles = [
        sa.func.min(sa.case((asked.c.place * 100 >= asked.c.many * share, asked.c.elapsed))).label(name)
        for name, share in SHARES.items()
    ]
    return sa.select(asked.c.host, *quantiles).group_by(asked.c.host)


def _of(run: int) -> sa.ColumnElement[bool]:
    finding, target = schema.finding, schema.target
    return (finding.c.target_id == target.c.id) & (finding.c.run_id == run)


def _row(run: int, host: str, parts: list[sa.RowMapping], times: sa.RowMapping | None) -> dict[str, Any]:
    summed = {
        name: sum(part[name] for part in parts)
        for name in ("targets", "requests", "bytes", "errors", "spared", "waited")
    }
    counts = {name: int(value) for name, value in summed.items() if name != "waited"}
    firsts = [part["first"] for part in parts if part["first"] is not None]
    lasts = [part["last"] for part in parts if part["last"] is not None]
    span = (max(lasts) - min(firsts)).total_seconds() if firsts else 0.0
    return {
        "run_id": run,
        "host": host,
        **counts,
        "waited": round(float(summed["waited"]), 3),
        "rate": counts["requests"] / span if span else None,
        **{name: times[name] if times else None for name in SHARES},
        "verdicts": {part["verdict"]: int(part["targets"]) for part in parts},
    }
