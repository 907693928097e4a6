"""Records and record problems into rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from storage.db import schema
from storage.db.rows import Cells, storable_text
from storage.db.statements import PreparedStatement, chunks, insert_or_replace
from storage.model import Document, Record, Run

RECORD_COLUMNS: Final = ("path", "number", "size", "mtime_ns", "digest", "seen_run")
PROBLEM_COLUMNS: Final = ("path", "line", "reason", "seen_run")
RecordKey = tuple[str, int]


class RecordWriter:
    """Writes the records and problems of documents that were read."""

    def __init__(self, engine: sa.Engine, run: Run) -> None:
        self._run = run
        upsert = insert_or_replace(engine, schema.record, ("path", "number"))
        self._upsert = PreparedStatement(engine, upsert, RECORD_COLUMNS)
        self._insert_problems = PreparedStatement(engine, sa.insert(schema.problem), PROBLEM_COLUMNS)

    def write_problems(self, connection: sa.Connection, documents: Sequence[Document]) -> int:
        """Replace the problems of the newest reading of each file."""
        table = schema.problem
        for paths in chunks(document.path for document in documents):
            connection.execute(sa.delete(table).where(table.c.path.in_(paths)))
        rows = [
            (problem.path, problem.line, storable_text(problem.reason), self._run.id)
            for document in documents
            for problem in document.problems
        ]
        self._insert_problems.run(connection, rows)
        return len(rows)

    def write(
        self,
        connection: sa.Connection,
        documents: Sequence[Document],
        records: Sequence[tuple[Record, Document]],
    ) -> tuple[dict[RecordKey, int], list[int]]:
        """The ids of the records; and of those that their files, well read, hold no longer."""
        self._upsert.run(connection, [self._record_row(*pair) for pair in records])
        table = schema.record
        ids_by_key: dict[RecordKey, int] = {}
        for paths in chunks(document.path for document in documents):
            query = sa.select(table.c.path, table.c.number, table.c.id).where(table.c.path.in_(paths))
            ids_by_key |= {(path, number): key for path, number, key in connection.execute(query)}
        ids = {
            (record.path, record.index): ids_by_key.pop((record.path, record.index)) for record, _ in records
        }
        complete_paths = {document.path for document in documents if not document.problems}
        return ids, [key for (path, _), key in ids_by_key.items() if path in complete_paths]

    def _record_row(self, record: Record, document: Document) -> Cells:
        stamp = document.stamp
        facts = (None, None, None) if stamp is None else (stamp.size, stamp.mtime_ns, stamp.digest)
        return (record.path, record.index, *facts, self._run.id)
