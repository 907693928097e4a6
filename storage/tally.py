"""Figures of all targets, counted once a run: a page shows them without reading millions of rows.

A target keeps its kind (the most demanding of its open links; none if no record names it), its newest
verdict and its severity beside its state, so that one look at one table is enough to count and to filter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from storage import schema
from storage.database import reading, writing
from storage.model import Kind, Verdict
from storage.severity import BESIDE, found, severity
from storage.statements import chunks

# The most demanding first, as in `queries.KINDS`: it is the kind of a target whose links differ.
RANK: Final = {Kind.IMAGE.value: 0, Kind.AMP.value: 1, Kind.AMP_CDN.value: 2, Kind.WEB.value: 3}
ROWS: Final = 5000  # targets changed in one transaction


def tally(engine: sa.Engine) -> int:
    """Bring kind, verdict and severity of every target up to date, and count them under the newest run.

    Returns how many targets records name; 0, and nothing is written, before the first run.

    Raises:
        LedgerError: the database cannot take it.
    """
    with reading(engine) as connection:
        changed = connection.execute(_changed(engine.dialect.name)).all()
    for some in chunks(changed, ROWS):
        with writing(engine) as connection:
            _note(connection, some)
    return recount(engine)


def weigh(connection: sa.Connection, url: str) -> None:
    """Bring the target of a URL alone up to date, once a person has said something of it."""
    query = _changed(connection.dialect.name, schema.target.c.url == url)
    _note(connection, connection.execute(query).all())


def _note(connection: sa.Connection, changed: Sequence[sa.Row[Any]]) -> None:
    names = ("kind", "verdict", "severity")
    update = sa.update(schema.target).where(schema.target.c.id == sa.bindparam("key"))
    update = update.values({name: sa.bindparam(f"new_{name}") for name in names})
    rows = [dict(zip(("key", *(f"new_{name}" for name in names)), row, strict=True)) for row in changed]
    if rows:
        connection.execute(update, rows)


def recount(engine: sa.Engine) -> int:
    """Count all targets anew under the newest run, as their kinds, states and verdicts are noted.

    Returns and raises what `tally` does.
    """
    with reading(engine) as connection:
        run = connection.execute(sa.select(sa.func.max(schema.run.c.id))).scalar()
    return 0 if run is None else _count(engine, run)


def _changed(dialect: str, where: sa.ColumnElement[bool] | None = None) -> sa.Select[Any]:
    """Every target that is no longer what it says it is, with what it should say."""
    target, link, finding = schema.target, schema.link, schema.finding
    named = sa.select(link.c.kind).where(link.c.target_id == target.c.id, link.c.closed_run.is_(None))
    kind = named.order_by(sa.case(RANK, value=link.c.kind)).limit(1).scalar_subquery()
    words = [one.value for one in BESIDE]
    alone = ~sa.exists(named.where(link.c.kind.not_in(words)))  # all its links have a page beside them
    newest, pinned = found()
    query = sa.select(
        target.c.id,
        target.c.kind,
        target.c.verdict,
        target.c.severity,
        kind.label("new_kind"),
        finding.c.verdict.label("new_verdict"),
        severity(dialect, alone).label("weight"),
    )
    query = query.join(finding, newest, isouter=True).join(schema.pin, pinned, isouter=True)
    inner = (query if where is None else query.where(where)).subquery()
    weight = sa.case((inner.c.new_kind.is_(None), 0), else_=inner.c.weight)
    new = (inner.c.new_kind, inner.c.new_verdict, weight)
    old = (inner.c.kind, inner.c.verdict, inner.c.severity)
    differs = (one.is_distinct_from(other) for one, other in zip(old, new, strict=True))
    return sa.select(inner.c.id, *new).where(sa.or_(*differs))


def _count(engine: sa.Engine, run: int) -> int:
    target, table = schema.target, schema.tally
    verdict = sa.func.coalesce(target.c.verdict, Verdict.NOT_REACHED.value)
    counts = sa.select(sa.literal(run), target.c.kind, target.c.state, verdict, sa.func.count())
    counts = counts.where(target.c.kind.is_not(None)).group_by(target.c.kind, target.c.state, verdict)
    with writing(engine) as connection:
        connection.execute(sa.delete(table).where(table.c.run_id == run))
        connection.execute(sa.insert(table).from_select([column.name for column in table.c], counts))
        total = sa.select(sa.func.coalesce(sa.func.sum(table.c.targets), 0)).where(table.c.run_id == run)
        return int(connection.execute(total).scalar_one())
