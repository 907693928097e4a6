"""Figures of all targets, counted once a run: a page shows them without reading millions of rows.

A target keeps its kind (the most demanding of its open links; none if no record names it), its newest
verdict and its severity beside its state, so that one look at one table is enough to count and to filter.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from storage.db import schema
from storage.db.predicates import newest_finding, open_link, pin_of_target
from storage.db.sql import Query
from storage.db.transactions import reading, writing
from storage.model import KINDS_BY_DEMAND, Verdict
from storage.rollups.severity import AMP_KINDS, severity

KIND_RANKS: Final = {kind.value: rank for rank, kind in enumerate(KINDS_BY_DEMAND)}
TARGET_IDS_PER_UPDATE: Final = 20_000  # targets looked at in one transaction: others may write between two


def update_targets(engine: sa.Engine) -> int:
    """Bring kind, verdict and severity of every target up to date, and count them under the newest run.

    Returns how many targets records name; 0, and nothing is written, before the first run.

    Raises:
        LedgerError: the database cannot take it.
    """
    with reading(engine) as connection:
        newest_id = connection.execute(sa.select(sa.func.coalesce(sa.func.max(schema.target.c.id), 0)))
        last = int(newest_id.scalar_one())
    for first in range(0, last + 1, TARGET_IDS_PER_UPDATE):
        with writing(engine) as connection:
            _note(connection, schema.target.c.id.between(first, first + TARGET_IDS_PER_UPDATE - 1))
    return recount(engine)


def update_target(connection: sa.Connection, url: str) -> None:
    """Bring the target of a URL alone up to date, once a person has said something of it."""
    _note(connection, schema.target.c.url == url)


def _note(connection: sa.Connection, which: sa.ColumnElement[bool]) -> None:
    """Bring some targets up to date, all by one statement."""
    changes = _changed_targets(connection.dialect.name, which).subquery()
    update = sa.update(schema.target).where(schema.target.c.id == changes.c.id)
    new = {"kind": changes.c.new_kind, "verdict": changes.c.new_verdict, "severity": changes.c.new_severity}
    connection.execute(update.values(new))


def recount(engine: sa.Engine) -> int:
    """Count all targets anew under the newest run, as their kinds, states and verdicts are noted.

    Returns and raises what `tally` does.
    """
    with reading(engine) as connection:
        run = connection.execute(sa.select(sa.func.max(schema.run.c.id))).scalar()
    return 0 if run is None else _count(engine, run)


def _changed_targets(dialect: str, which: sa.ColumnElement[bool]) -> Query:
    """Every one of some targets that is no longer what it says it is, with what it should say."""
    target, link, finding = schema.target, schema.link, schema.finding
    kinds_of_links = sa.select(link.c.kind).where(link.c.target_id == target.c.id, open_link())
    kind = kinds_of_links.order_by(sa.case(KIND_RANKS, value=link.c.kind)).limit(1).scalar_subquery()
    words = [kind_of_amp.value for kind_of_amp in AMP_KINDS]
    only_amp = ~sa.exists(
        kinds_of_links.where(link.c.kind.not_in(words))
    )  # all its links have a page beside them
    query = sa.select(
        target.c.id,
        target.c.kind,
        target.c.verdict,
        target.c.severity,
        kind.label("new_kind"),
        finding.c.verdict.label("new_verdict"),
        severity(dialect, only_amp).label("weight"),
    )
    query = query.join(finding, newest_finding(), isouter=True).join(
        schema.pin, pin_of_target(), isouter=True
    )
    inner = query.where(which).subquery()
    weight = sa.case((inner.c.new_kind.is_(None), 0), else_=inner.c.weight).label("new_severity")
    new = (inner.c.new_kind, inner.c.new_verdict, weight)
    old = (inner.c.kind, inner.c.verdict, inner.c.severity)
    differs = (before.is_distinct_from(after) for before, after in zip(old, new, strict=True))
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
