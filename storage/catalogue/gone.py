"""Files that are gone: their links are closed, and what they said is forgotten."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import sqlalchemy as sa

from storage import schema
from storage.database import reading, writing
from storage.model import Run
from storage.statements import chunks


def close_links(engine: sa.Engine, run: Run, roots: Iterable[str]) -> None:
    """Close the links of files below `roots` that this run did not see, since they are no more.

    A file that is there but could not be read keeps its links.

    Raises:
        LedgerError: the database cannot take it.
    """
    below = _below(roots)
    gone = [path for path in _unseen(engine, run) if below(path) and not os.path.lexists(path)]
    if not gone:
        return
    link, record = schema.link, schema.record
    with writing(engine) as connection:
        for paths in chunks(gone):
            theirs = sa.select(record.c.id).where(record.c.path.in_(paths))
            close = sa.update(link).where(link.c.closed_run.is_(None), link.c.record_id.in_(theirs))
            connection.execute(close.values(closed_run=run.id))
            for table in (schema.problem, schema.source):
                connection.execute(sa.delete(table).where(table.c.path.in_(paths)))


def _unseen(engine: sa.Engine, run: Run) -> Iterator[str]:
    record, problem = schema.record, schema.problem
    records = sa.select(record.c.path).where(record.c.seen_run != run.id)
    problems = sa.select(problem.c.path).where(problem.c.seen_run != run.id)
    with reading(engine) as connection:
        yield from connection.execute(records.union(problems)).scalars()


def _below(roots: Iterable[str]) -> Callable[[str], bool]:
    """Tell whether a path is one of the roots, or stands below one."""
    names = [str(Path(root)) for root in roots]
    starts = tuple(f"{name}{os.sep}" for name in names)
    exact = frozenset(names)
    here = "." in exact

    def below(path: str) -> bool:
        return path in exact or path.startswith(starts) or (here and not Path(path).is_absolute())

    return below
