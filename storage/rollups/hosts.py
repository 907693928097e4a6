"""What a run found on each host, counted once when it ends: a page sorts hosts without reading findings."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from storage.db import schema
from storage.db.predicates import finding_of_run
from storage.db.sql import Query
from storage.db.statements import chunks
from storage.db.transactions import reading, writing
from storage.rollups.severity import CLASS_POINTS

QUANTILE_PERCENTS: Final = {
    "p50": 50,
    "p95": 95,
    "slowest": 100,
}  # hundredths of the targets that took no longer
ERROR_CLASSES: Final = [cls.value for cls in CLASS_POINTS]
HOSTS_PER_STATEMENT: Final = 5000  # hosts written in one statement


def count_hosts(engine: sa.Engine) -> int:
    """Count the findings of the newest run by host, and those of runs before it that were killed first.

    Runs before the first that was counted are left alone: their findings may have been thinned out.
    Returns how many hosts were counted.

    Raises:
        LedgerError: the database cannot take it.
    """
    return sum(_count(engine, run) for run in uncounted_runs(engine))


def uncounted_runs(engine: sa.Engine) -> list[int]:
    """The newest run, and all between it and the last before it whose hosts are counted.

    Raises:
        LedgerError: the database cannot be read.
    """
    run, table = schema.run, schema.host_tally
    with reading(engine) as connection:
        newest = connection.execute(sa.select(sa.func.max(run.c.id))).scalar()
        if newest is None:
            return []
        newest_counted = connection.execute(sa.select(sa.func.max(table.c.run_id))).scalar() or 0
        after = min(newest_counted, newest - 1) if newest_counted else newest - 1
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
        for chunk in chunks(rows, HOSTS_PER_STATEMENT):
            connection.execute(sa.insert(schema.host_tally), chunk)
    return len(rows)


def _verdicts(run: int) -> Query:
    """The findings of a run by host and verdict."""
    finding, host = schema.finding, schema.target.c.host
    seconds_waited = sa.func.coalesce(finding.c.evidence["waited"].as_float(), 0.0)
    is_spared = finding.c.evidence["spared"].as_boolean()
    request_time = sa.case((finding.c.requests > 0, finding.c.checked_at))
    query = sa.select(
        host,
        finding.c.verdict,
        sa.func.count().label("targets"),
        sa.func.sum(finding.c.requests).label("requests"),
        sa.func.sum(finding.c.bytes).label("bytes"),
        sa.func.sum(sa.case((finding.c["class"].in_(ERROR_CLASSES), 1), else_=0)).label("errors"),
        sa.func.sum(sa.case((is_spared, 1), else_=0)).label("spared"),
        sa.func.sum(seconds_waited).label("waited"),
        sa.func.min(request_time, type_=schema.UtcDateTime).label("first"),
        sa.func.max(request_time, type_=schema.UtcDateTime).label("last"),
    )
    return (
        query.join(finding, finding_of_run(run))
        .group_by(host, finding.c.verdict)
        .order_by(host, finding.c.verdict)
    )


def _times(run: int) -> Query:
    """Within which seconds the shares of the targets of each host were checked, by the nearest rank."""
    finding, host = schema.finding, schema.target.c.host
    place = sa.func.row_number().over(partition_by=host, order_by=finding.c.elapsed).label("place")
    findings = sa.select(
        host, finding.c.elapsed, place, sa.func.count().over(partition_by=host).label("many")
    )
    ranking = findings.join(finding, finding_of_run(run)).where(finding.c.requests > 0).subquery()
    quantiles = [
        sa.func.min(sa.case((ranking.c.place * 100 >= ranking.c.many * share, ranking.c.elapsed))).label(name)
        for name, share in QUANTILE_PERCENTS.items()
    ]
    return sa.select(ranking.c.host, *quantiles).group_by(ranking.c.host)


def _row(run: int, host: str, parts: list[sa.RowMapping], times: sa.RowMapping | None) -> dict[str, object]:
    sums = {
        name: sum(part[name] for part in parts)
        for name in ("targets", "requests", "bytes", "errors", "spared", "waited")
    }
    counts = {name: int(value) for name, value in sums.items() if name != "waited"}
    firsts = [part["first"] for part in parts if part["first"] is not None]
    lasts = [part["last"] for part in parts if part["last"] is not None]
    span = (max(lasts) - min(firsts)).total_seconds() if firsts else 0.0
    return {
        "run_id": run,
        "host": host,
        **counts,
        "waited": round(float(sums["waited"]), 3),
        "rate": counts["requests"] / span if span else None,
        **{name: times[name] if times else None for name in QUANTILE_PERCENTS},
        "verdicts": {part["verdict"]: int(part["targets"]) for part in parts},
    }
