"""Figures of all targets, counted once a run: a page shows them without reading millions of rows.

A target keeps its kind (the most demanding of its open links; none if no record names it) and its
newest verdict beside its state, so that one look at one table is enough to count and to filter.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from storage import schema
from storage.database import reading, writing
from storage.model import Kind, Verdict
from storage.statements import chunks

# The most demanding first, as in `queries.KINDS`: it is the kind of a target whose links differ.
RANK: Final = {Kind.IMAGE.value: 0, Kind.AMP.value: 1, Kind.AMP_CDN.value: 2, Kind.WEB.value: 3}
ROWS: Final = 5000  # targets changed in one transaction


def tally(engine: sa.Engine) -> int:
    """Bring `kind` and `verdict` of every target up to date, and count them under the newest run.

    Returns how many targets records name; 0, and nothing is written, before the first run.

    Raises:
        LedgerError: the database cannot take it.
    """
    with reading(engine) as connection:
        changed = connection.execute(_changed()).all()
    update = sa.update(schema.target).where(schema.target.c.id == sa.bindparam("key"))
    update = update.values(kind=sa.bindparam("new_kind"), verdict=sa.bindparam("new_verdict"))
    for some in chunks(changed, ROWS):
        with writing(engine) as connection:
            rows = [{"key": key, "new_kind": kind, "new_verdict": word} for key, kind, word in some]
            connection.execute(update, rows)
    return recount(engine)


def recount(engine: sa.Engine) -> int:
    """Count all targets anew under the newest run, as their kinds, states and verdicts are noted.

    Returns and raises what `tally` does.
    """
    with reading(engine) as connection:
        run = connection.execute(sa.select(sa.func.max(schema.run.c.id))).scalar()
    return 0 if run is None else _count(engine, run)


def _changed() -> sa.Select[Any]:
    """Every target whose kind or verdict is no longer what it says, with what it should say."""
    target, link, finding = schema.target, schema.link, schema.finding
    named = sa.select(link.c.kind).where(link.c.target_id == target.c.id, link.c.closed_run.is_(None))
    kind = named.order_by(sa.case(RANK, value=link.c.kind)).limit(1).scalar_subquery()
    found = sa.select(finding.c.verdict)
    found = found.where(finding.c.run_id == target.c.last_run, finding.c.target_id == target.c.id)
    inner = sa.select(
        target.c.id,
        target.c.kind,
        target.c.verdict,
        kind.label("new_kind"),
        found.scalar_subquery().label("new_verdict"),
    ).subquery()
    differs = inner.c.kind.is_distinct_from(inner.c.new_kind)
    differs |= inner.c.verdict.is_distinct_from(inner.c.new_verdict)
    return sa.select(inner.c.id, inner.c.new_kind, inner.c.new_verdict).where(differs)


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
