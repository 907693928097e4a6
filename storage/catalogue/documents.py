"""Documents into rows, in batches: one transaction each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import sqlalchemy as sa

from storage import schema
from storage.catalogue import gone
from storage.catalogue.links import LinkWriter
from storage.catalogue.sources import Sources
from storage.database import writing
from storage.model import Document, Link, Record, Run, Stamp
from storage.rows import Cells, link_row, plain
from storage.statements import Prepared, chunks, insert_new, insert_or_replace

BATCH: Final = 4000  # links a transaction; at 400 to 40,000 the speed is the same
RECORD: Final = ("path", "number", "size", "mtime_ns", "digest", "seen_run")
PLACES: Final = 100_000  # texts whose place is remembered: real records repeat each 30 times
PROBLEM: Final = ("path", "line", "reason", "seen_run")
Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a link leads: its text and its URL as they may be stored, and the URL to ask."""

    text: str
    shown: str
    asked: str


@dataclass(slots=True)
class Counts:
    """What was catalogued so far."""

    records: int = 0
    links: int = 0
    problems: int = 0


class Catalogue:
    """Writes the documents of one run; `place` tells where the text of a link leads.

    `secrets` maps the id of a target to the URL to ask, where that one carries credentials: they
    are used, and never stored. URLs that differ by their credentials alone are one target, asked
    with the first. `reading` stands for all that decides how files are read and links placed: what
    was read in another way is not known. Memory: some 250 bytes for each distinct URL, until `close`.
    """

    def __init__(
        self, engine: sa.Engine, run: Run, place: Callable[[Link], Place], *, reading: str = ""
    ) -> None:
        self.counts = Counts()
        self.secrets: dict[int, str] = {}
        self._engine, self._run, self._place = engine, run, place
        self._ids: dict[str, int] = {}
        self._places: dict[str, Place] = {}
        self._waiting: list[Document] = []
        self._size = 0
        upsert = insert_or_replace(engine, schema.record, ("path", "number"))
        self._records = Prepared(engine, upsert, RECORD)
        self._targets = Prepared(engine, insert_new(engine, schema.target), ("url", "host"))
        self._problems = Prepared(engine, sa.insert(schema.problem), PROBLEM)
        self._links = LinkWriter(engine, run)
        self._sources = Sources(engine, run, reading)

    def knows(self, path: str, stamp: Stamp) -> bool:
        """Whether a file is as it was when it was read last; then its links are as they were.

        Raises:
            LedgerError: the database cannot be used.
        """
        source = self._sources.knows(plain(path), stamp)
        if source is None:
            return False
        self.counts.records += source.records
        self.counts.links += source.links
        if self._sources.waiting >= BATCH:
            self.flush()
        return True

    def put(self, document: Document) -> None:
        """Take one document; write once enough of them wait.

        Raises:
            LedgerError: the database cannot take it.
        """
        self._waiting.append(_plain(document))
        self._size += 1 + sum(len(record.links) for record in document.records)
        if self._size >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what waits, in one transaction; what cannot be written waits on.

        Raises:
            LedgerError: the database cannot take it.
        """
        if not self._waiting and not self._sources.waiting:
            return
        counts = replace(self.counts)
        with writing(self._engine) as connection:
            self._write(connection, self._waiting, counts)
        self._sources.written()
        self.counts, self._waiting, self._size = counts, [], 0

    def close(self, roots: Iterable[str] = ()) -> None:
        """Write what waits, and forget the URLs; files below `roots` that are gone lose their links.

        `roots` are the paths that were read to the end, as they were named.

        Raises:
            LedgerError: the database cannot take it.
        """
        self.flush()
        self._ids.clear()
        self._places.clear()
        self._sources.forget()
        gone.close_links(self._engine, self._run, roots)

    def _write(self, connection: sa.Connection, documents: Sequence[Document], counts: Counts) -> None:
        counts.problems += self._write_problems(connection, documents)
        records = [(record, document) for document in documents for record in document.records]
        ids, left = self._write_records(connection, documents, records)
        links = [(ids[one.path, one.index], link) for one, _ in records for link in one.links]
        places = [self._placed(link) for _, link in links]
        self._write_targets(connection, places)
        rows = [
            self._link_row(record_id, link, place)
            for (record_id, link), place in zip(links, places, strict=True)
        ]
        self._links.write(connection, [*ids.values(), *left], rows)
        self._sources.write(connection, documents, self._private(documents))
        counts.records += len(records)
        counts.links += len(rows)

    def _write_problems(self, connection: sa.Connection, documents: Sequence[Document]) -> int:
        """Replace the problems of the newest reading of each file."""
        table = schema.problem
        for paths in chunks(document.path for document in documents):
            connection.execute(sa.delete(table).where(table.c.path.in_(paths)))
        rows = [
            (one.path, one.line, plain(one.reason), self._run.id)
            for document in documents
            for one in document.problems
        ]
        self._problems.run(connection, rows)
        return len(rows)

    def _write_records(
        self,
        connection: sa.Connection,
        documents: Sequence[Document],
        records: Sequence[tuple[Record, Document]],
    ) -> tuple[dict[Key, int], list[int]]:
        """The ids of the records; and of those that their files, well read, hold no longer."""
        self._records.run(connection, [self._record_row(*pair) for pair in records])
        table = schema.record
        found: dict[Key, int] = {}
        for paths in chunks(document.path for document in documents):
            query = sa.select(table.c.path, table.c.number, table.c.id).where(table.c.path.in_(paths))
            found |= {(path, number): key for path, number, key in connection.execute(query)}
        ids = {(one.path, one.index): found.pop((one.path, one.index)) for one, _ in records}
        well = {document.path for document in documents if not document.problems}
        return ids, [key for (path, _), key in found.items() if path in well]

    def _record_row(self, record: Record, document: Document) -> Cells:
        stamp = document.stamp
        facts = (None, None, None) if stamp is None else (stamp.size, stamp.mtime_ns, stamp.digest)
        return (record.path, record.index, *facts, self._run.id)

    def _write_targets(self, connection: sa.Connection, places: Iterable[Place]) -> None:
        new: dict[str, str] = {}
        for place in places:
            if place.shown not in self._ids:
                new.setdefault(place.shown, place.asked)
        stored = {plain(shown): shown for shown in new}
        self._targets.run(connection, [(url, host_of(url)) for url in stored])
        table = schema.target
        for urls in chunks(stored):
            query = sa.select(table.c.url, table.c.id).where(table.c.url.in_(urls))
            for url, key in connection.execute(query):
                shown = stored[url]
                self._ids[shown] = key
                if new[shown] != url:
                    self.secrets[key] = new[shown]

    def _placed(self, link: Link) -> Place:
        place = self._places.get(link.text)
        if place is None:
            if len(self._places) >= PLACES:
                self._places.clear()
            place = self._places[link.text] = self._place(link)
        return place

    def _private(self, documents: Sequence[Document]) -> set[str]:
        """The documents with URLs that are asked, and must not be stored."""
        return {
            document.path
            for document in documents
            for record in document.records
            for link in record.links
            if (place := self._placed(link)).asked != plain(place.shown)
        }

    def _link_row(self, record_id: int, link: Link, place: Place) -> Cells:
        return link_row(record_id, self._ids[place.shown], link, place.text)


def host_of(url: str) -> str:
    """The host (and port) that a request URL names; "" for what is none."""
    scheme, mark, rest = url.partition("://")
    if not mark or scheme not in {"http", "https"}:
        return ""
    return rest.partition("/")[0].partition("?")[0].rpartition("@")[2]


def _plain(document: Document) -> Document:
    """The document under a path that every database takes."""
    path = plain(document.path)
    if path == document.path:
        return document
    records = tuple(replace(record, path=path) for record in document.records)
    problems = tuple(replace(problem, path=path) for problem in document.problems)
    return replace(document, path=path, records=records, problems=problems)
