"""What the records say: documents into rows of records, links and targets, in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from storage import schema
from storage.database import explain
from storage.model import Declared, Document, Link, Record, Run

BATCH: Final = 4000  # links a transaction; at 400 to 40,000 the speed is the same
CHUNK: Final = 500  # values of one IN (...); SQLite takes 32,766
T = TypeVar("T")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a link leads: the URL as it may be stored, and the one to ask."""

    shown: str
    asked: str


@dataclass(slots=True)
class Counts:
    """What was catalogued so far."""

    records: int = 0
    links: int = 0
    problems: int = 0


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The values in lists of at most `size`."""
    chunk: list[T] = []
    for value in values:
        chunk.append(value)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def insert_new(engine: sa.Engine, table: sa.Table) -> sa.Insert:
    """An INSERT that leaves a row alone that is there already."""
    if engine.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


@dataclass(slots=True)
class Catalogue:
    """Writes the documents of one run; `place` tells where a link leads.

    `secrets` maps the id of a target to the URL to ask, where that one carries credentials: they
    are used, and never stored.
    """

    engine: sa.Engine
    run: Run
    place: Callable[[Link], Place]
    counts: Counts = field(default_factory=Counts)
    secrets: dict[int, str] = field(default_factory=dict)
    _ids: dict[str, int] = field(default_factory=dict)
    _waiting: list[Document] = field(default_factory=list)
    _size: int = 0

    def put(self, document: Document) -> None:
        """Take one document; write once enough of them wait.

        Raises:
            LedgerError: the database cannot take it.
        """
        self._waiting.append(document)
        self._size += 1 + sum(len(record.links) for record in document.records)
        if self._size >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what waits, in one transaction."""
        documents, self._waiting, self._size = self._waiting, [], 0
        try:
            with self.engine.begin() as connection:
                self._write(connection, documents)
        except DBAPIError as exc:
            raise explain(exc, str(self.engine.url)) from exc

    def _write(self, connection: sa.Connection, documents: Sequence[Document]) -> None:
        self._write_problems(connection, documents)
        records = [(one, document) for document in documents for one in document.records]
        ids = self._write_records(connection, records)
        placed = [
            (ids[record.path, record.index], link, self.place(link))
            for record, _ in records
            for link in record.links
        ]
        self._write_targets(connection, [place for _, _, place in placed])
        self._write_links(connection, list(ids.values()), placed)
        self.counts.records += len(records)
        self.counts.links += len(placed)

    def _write_problems(self, connection: sa.Connection, documents: Sequence[Document]) -> None:
        rows = [
            {
                "path": problem.path,
                "line": problem.line,
                "reason": problem.reason,
                "seen_run": self.run.id,
            }
            for document in documents
            for problem in document.problems
        ]
        self.counts.problems += len(rows)
        for paths in chunks(document.path for document in documents):
            connection.execute(sa.delete(schema.problem).where(schema.problem.c.path.in_(paths)))
        if rows:
            connection.execute(sa.insert(schema.problem), rows)

    def _write_records(
        self, connection: sa.Connection, records: Sequence[tuple[Record, Document]]
    ) -> dict[tuple[str, int], int]:
        if not records:
            return {}
        rows = [self._record_row(record, document) for record, document in records]
        insert = postgresql.insert if self.engine.dialect.name == "postgresql" else sqlite.insert
        statement = insert(schema.record)
        fresh = {name: statement.excluded[name] for name in ("size", "mtime_ns", "digest", "seen_run")}
        connection.execute(
            statement.on_conflict_do_update(index_elements=["path", "number"], set_=fresh), rows
        )
        table = schema.record
        found: dict[tuple[str, int], int] = {}
        for paths in chunks({record.path for record, _ in records}):
            query = sa.select(table.c.path, table.c.number, table.c.id)
            for path, number, key in connection.execute(query.where(table.c.path.in_(paths))):
                found[path, number] = key
        return {(one.path, one.index): found[one.path, one.index] for one, _ in records}

    def _record_row(self, record: Record, document: Document) -> Row:
        stamp = document.stamp
        return {
            "path": record.path,
            "number": record.index,
            "size": stamp and stamp.size,
            "mtime_ns": stamp and stamp.mtime_ns,
            "digest": stamp and stamp.digest,
            "seen_run": self.run.id,
        }

    def _write_targets(self, connection: sa.Connection, places: Iterable[Place]) -> None:
        new = {place.shown: place for place in places if place.shown not in self._ids}
        if not new:
            return
        rows = [{"url": url} for url in new]
        connection.execute(insert_new(self.engine, schema.target), rows)
        table = schema.target
        for urls in chunks(new):
            query = sa.select(table.c.url, table.c.id).where(table.c.url.in_(urls))
            for url, key in connection.execute(query):
                self._ids[url] = key
                if new[url].asked != url:
                    self.secrets[key] = new[url].asked

    def _write_links(
        self,
        connection: sa.Connection,
        record_ids: Sequence[int],
        placed: Sequence[tuple[int, Link, Place]],
    ) -> None:
        """Keep the row of a link that is still there, open one for a new, close what is gone."""
        known = self._known(connection, record_ids)
        new: list[Row] = []
        changed: list[Row] = []
        for record_id, link, place in placed:
            row = self._link_row(record_id, link, self._ids[place.shown])
            old = known.pop((record_id, link.field, link.text), None)
            if old is None:
                new.append({**row, "first_run": self.run.id})
            elif any(old[name] != value for name, value in row.items()):
                changed.append({**row, "key": old["id"]})
        self._apply(connection, new, changed, [row["id"] for row in known.values()])

    def _known(
        self, connection: sa.Connection, record_ids: Sequence[int]
    ) -> dict[tuple[int, str, str], sa.RowMapping]:
        table = schema.link
        known: dict[tuple[int, str, str], sa.RowMapping] = {}
        for ids in chunks(record_ids):
            query = sa.select(table).where(table.c.record_id.in_(ids), table.c.closed_run.is_(None))
            for row in connection.execute(query).mappings():
                known[row["record_id"], row["field"], row["text"]] = row
        return known

    @staticmethod
    def _link_row(record_id: int, link: Link, target_id: int) -> Row:
        return {
            "record_id": record_id,
            "target_id": target_id,
            "kind": link.kind.value,
            "field": link.field,
            "item": link.item,
            "line": link.line,
            "column": link.column,
            "text": link.text,
            "declared": declared_to_json(link.declared),
        }

    def _apply(self, connection: sa.Connection, new: list[Row], changed: list[Row], gone: list[int]) -> None:
        table = schema.link
        if new:
            connection.execute(sa.insert(table), new)
        if changed:
            names = [name for name in changed[0] if name != "key"]
            update = sa.update(table).where(table.c.id == sa.bindparam("key"))
            values: dict[str, Any] = {name: sa.bindparam(name) for name in names}
            connection.execute(update.values({**values, "judged_run": None}), changed)
        for ids in chunks(gone):
            where = table.c.id.in_(ids)
            connection.execute(sa.update(table).where(where).values(closed_run=self.run.id))


def declared_to_json(declared: Declared | None) -> Row | None:
    """A declaration as the column keeps it."""
    if declared is None:
        return None
    return {"width": declared.width, "height": declared.height, "cached": declared.cached}


def declared_from_json(value: Row | None) -> Declared | None:
    """The declaration that a column keeps."""
    return None if value is None else Declared(value["width"], value["height"], value["cached"])
