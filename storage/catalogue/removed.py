"""Files that are gone: their links are closed, and what they said is forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import sqlalchemy as sa

from storage.catalogue.identity import RecordPaths, is_missing
from storage.db import schema
from storage.db.predicates import open_link
from storage.db.statements import chunks
from storage.db.transactions import reading, writing
from storage.model import Run


def close_links(engine: sa.Engine, run: Run, roots: Iterable[str], paths: RecordPaths) -> None:
    """Close the links of files below `roots` that this run did not see, since they are no more.

    A file that is there but could not be read keeps its links, and so does one in a folder that
    cannot be read.

    Raises:
        LedgerError: the database cannot take it.
    """
    is_below = _below(map(paths.identity, roots))
    places = {path: paths.location(path) for path in _unseen(engine, run) if is_below(path)}
    missing_paths = [path for path, place in places.items() if is_missing(place)]
    _forget_problems(engine, [path for path, place in places.items() if _is_folder(place)])
    if not missing_paths:
        return
    link, record = schema.link, schema.record
    with writing(engine) as connection:
        for chunk in chunks(missing_paths):
            record_ids = sa.select(record.c.id).where(record.c.path.in_(chunk))
            close = sa.update(link).where(open_link(), link.c.record_id.in_(record_ids))
            connection.execute(close.values(closed_run=run.id))
            for table in (schema.problem, schema.source):
                connection.execute(sa.delete(table).where(table.c.path.in_(chunk)))


def _forget_problems(engine: sa.Engine, folders: Sequence[str]) -> None:
    """Forget the problems of folders that can be listed again."""
    if not folders:
        return
    with writing(engine) as connection:
        for paths in chunks(folders):
            connection.execute(sa.delete(schema.problem).where(schema.problem.c.path.in_(paths)))


def _is_folder(path: str) -> bool:
    """Whether a folder is at a path; what cannot be looked at is none."""
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):
        return False


def _unseen(engine: sa.Engine, run: Run) -> Iterator[str]:
    record, problem = schema.record, schema.problem
    records = sa.select(record.c.path).where(record.c.seen_run != run.id)
    problems = sa.select(problem.c.path).where(problem.c.seen_run != run.id)
    with reading(engine) as connection:
        yield from connection.execute(records.union(problems)).scalars()


def _below(roots: Iterable[str]) -> Callable[[str], bool]:
    """Tell whether a path is one of the roots, or stands below one."""
    names = frozenset(roots)
    starts = tuple(f"{name.rstrip('/')}/" for name in names)
    base = "." in names

    def below(path: str) -> bool:
        return path in names or path.startswith(starts) or (base and not path.startswith(("/", "../")))

    return below
