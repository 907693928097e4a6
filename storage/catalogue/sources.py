"""Files that say what they said when they were read last: they need not be read again.

What counts is the content: a checkout that sets every time anew changes nothing. A file that is
elsewhere now, its old place empty, is the same file: its records keep their rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from storage.catalogue.identity import RecordPaths, is_missing
from storage.db import schema
from storage.db.statements import PreparedStatement, chunks, insert_or_replace
from storage.db.transactions import reading
from storage.frozen import frozen
from storage.model import Document, FileStamp, Run

SOURCE_COLUMNS: Final = ("path", "digest", "reading", "records", "links")


@frozen
class SourceFile:
    """A file as it was read: how many records and links it holds, and a digest of what it says."""

    digest: str
    records: int
    links: int


class Sources:
    """The files that earlier runs read in one way of `reading`, and which of them are as they were.

    Memory: some 400 bytes a file, until `forget`.
    """

    def __init__(self, engine: sa.Engine, run: Run, reading: str, paths: RecordPaths) -> None:
        self._engine = engine
        self._run = run
        self._reading = reading
        self._paths = paths
        self._known: dict[str, SourceFile] | None = None
        self._places: dict[tuple[str, str], list[str]] = {}
        self._upsert = PreparedStatement(
            engine, insert_or_replace(engine, schema.source, ("path",)), SOURCE_COLUMNS
        )
        self._seen: list[str] = []
        self._moves: list[tuple[str, str]] = []

    @property
    def waiting(self) -> int:
        """How many files were found to be as they were, and are not written down yet."""
        return len(self._seen)

    def knows(self, path: str, stamp: FileStamp) -> SourceFile | None:
        """What is known of a file, if it says what it said; then this run has seen it."""
        source = self._all().get(path) or self._moved(path, stamp)
        if source is None or source.digest != stamp.digest:
            return None
        self._seen.append(path)
        return source

    def forget(self) -> None:
        """Give the memory back."""
        self._known = None
        self._places = {}

    def write(self, connection: sa.Connection, documents: Sequence[Document], private: set[str]) -> None:
        """Write down how the documents were read.

        `private` documents must be read each time: they name URLs that may not be stored.
        """
        self._upsert.run(
            connection, [self._row(document) for document in documents if _is_remembered(document, private)]
        )
        _delete(
            connection, [document.path for document in documents if not _is_remembered(document, private)]
        )

    def write_seen(self, connection: sa.Connection) -> None:
        """Write down which files were found to be as they were, and which of them moved."""
        for old, new in self._moves:
            for table in (schema.record, schema.problem, schema.source):
                connection.execute(sa.update(table).where(table.c.path == old).values(path=new))
        for paths in chunks(self._seen):
            for rows in (schema.record, schema.problem):
                connection.execute(
                    sa.update(rows).where(rows.c.path.in_(paths)).values(seen_run=self._run.id)
                )

    def written(self) -> None:
        """Note that the transaction of `write` is through."""
        self._seen = []
        self._moves = []

    def _all(self) -> dict[str, SourceFile]:
        if self._known is None:
            table = schema.source
            query = sa.select(table.c.path, table.c.digest, table.c.records, table.c.links)
            with reading(self._engine) as connection:
                rows = connection.execute(query.where(table.c.reading == self._reading))
                self._known = {path: SourceFile(*facts) for path, *facts in rows}
            for path, source in self._known.items():
                self._places.setdefault((source.digest, _suffix(path)), []).append(path)
        return self._known

    def _moved(self, path: str, stamp: FileStamp) -> SourceFile | None:
        """The source that stood elsewhere and says the same, if it is there no longer."""
        for old in self._places.get((stamp.digest, _suffix(path)), ()):
            if is_missing(self._paths.location(old)) and self._free(path):
                self._places[stamp.digest, _suffix(path)].remove(old)
                self._moves.append((old, path))
                return self._all().pop(old)
        return None

    def _free(self, path: str) -> bool:
        """Whether no record ever stood at a path; one that did keeps its own history."""
        query = sa.select(sa.exists().where(schema.record.c.path == path))
        with reading(self._engine) as connection:
            return not connection.execute(query).scalar_one()

    def _row(self, document: Document) -> tuple[str | int, ...]:
        links = sum(len(record.links) for record in document.records)
        digest = document.stamp.digest if document.stamp else ""
        return (document.path, digest, self._reading, len(document.records), links)


def _is_remembered(document: Document, private: set[str]) -> bool:
    return document.stamp is not None and document.path not in private


def _delete(connection: sa.Connection, paths: Iterable[str]) -> None:
    for chunk in chunks(paths):
        connection.execute(sa.delete(schema.source).where(schema.source.c.path.in_(chunk)))


def _suffix(path: str) -> str:
    """What of a path decides how the file is read."""
    name = Path(path.lower())
    return f"{name.with_suffix('').suffix}.gz" if name.suffix == ".gz" else name.suffix
