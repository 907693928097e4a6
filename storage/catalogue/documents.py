"""Documents into rows, in batches: one transaction each."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from storage.catalogue import removed
from storage.catalogue.identity import RecordPaths
from storage.catalogue.links import LinkWriter
from storage.catalogue.records import RecordWriter
from storage.catalogue.sources import Sources
from storage.catalogue.targets import LinkTarget, TargetWriter
from storage.db.rows import Cells, link_row, storable_text
from storage.db.transactions import write_in_parts, writing
from storage.model import Document, FileStamp, Link, RecordProblem, Run

CATALOGUE_LOGGER: Final = logging.getLogger(__name__)
MAX_LINKS_PER_TRANSACTION: Final = 4000  # links a transaction; at 400 to 40,000 the speed is the same
MAX_TEXTS_REMEMBERED: Final = 100_000  # texts whose place is remembered: real records repeat each 30 times


@dataclass(slots=True)
class CatalogueCounts:
    """What was catalogued so far."""

    records: int = 0
    links: int = 0
    problems: int = 0

    def add(self, part: CatalogueCounts) -> None:
        """Count what was catalogued in a part of the documents."""
        self.records += part.records
        self.links += part.links
        self.problems += part.problems


class Catalogue:
    """Writes the documents of one run; `place` tells where the text of a link leads.

    URLs that differ by their credentials alone are one target, requested with the first. `reading`
    stands for all that decides how files are read and links placed: what was read in another way is
    not known. `paths` names the files, by default relative to the working
    directory.
    Memory: some 250 bytes for each distinct URL and 100 for each file, until `close`.
    """

    def __init__(
        self,
        engine: sa.Engine,
        run: Run,
        place: Callable[[Link], LinkTarget],
        *,
        reading: str = "",
        paths: RecordPaths | None = None,
    ) -> None:
        self.paths = paths or RecordPaths(Path.cwd())
        self.counts = CatalogueCounts()
        self._engine = engine
        self._run = run
        self._place = place
        self._places: dict[str, LinkTarget] = {}
        self._files: set[str] = set()
        self._waiting: list[Document] = []
        self._size = 0
        self._records = RecordWriter(engine, run)
        self._targets = TargetWriter(engine, run)
        self._links = LinkWriter(engine, run)
        self._sources = Sources(engine, run, reading, self.paths)

    @property
    def secrets(self) -> Mapping[int, str]:
        """The URLs to request, by the id of their target, where they carry credentials; never stored."""
        return self._targets.secrets

    def takes(self, path: str) -> bool:
        """Whether a file was not named before in this run; the first name that leads to it counts."""
        identity = self.paths.identity(path)
        if identity in self._files:
            return False
        self._files.add(identity)
        return True

    def knows(self, path: str, stamp: FileStamp) -> bool:
        """Whether a file is as it was when it was read last; then its links are as they were.

        Raises:
            LedgerError: the database cannot be used.
        """
        source = self._sources.knows(self.paths.identity(path), stamp)
        if source is None:
            return False
        self.counts.records += source.records
        self.counts.links += source.links
        if self._sources.waiting >= MAX_LINKS_PER_TRANSACTION:
            self.flush()
        return True

    def put(self, document: Document) -> None:
        """Take one document; write once enough of them wait.

        Raises:
            LedgerError: the database cannot take it.
        """
        self._waiting.append(_renamed(document, self.paths.identity(document.path)))
        self._size += 1 + sum(len(record.links) for record in document.records)
        if self._size >= MAX_LINKS_PER_TRANSACTION:
            self.flush()

    def flush(self) -> None:
        """Write what waits, in one transaction; what cannot be written waits on.

        Raises:
            LedgerError: the database cannot take it.
        """
        if not self._waiting and not self._sources.waiting:
            return
        counts = replace(self.counts)
        with self._targets.remembering(), writing(self._engine) as connection:
            write_in_parts(
                connection,
                self._waiting,
                lambda part, documents: self._write_part(part, documents, counts),
                lambda part, document, reason: self._write_refused(part, document, reason, counts),
            )
            self._sources.write_seen(connection)
        self._sources.written()
        self.counts = counts
        self._waiting = []
        self._size = 0

    def close(self, roots: Iterable[str] = ()) -> None:
        """Write what waits, and forget the URLs; files below `roots` that are gone lose their links.

        `roots` are the paths that were read to the end, as they were named.

        Raises:
            LedgerError: the database cannot take it.
        """
        self.flush()
        self._targets.ids.clear()
        self._places.clear()
        self._files.clear()
        self._sources.forget()
        removed.close_links(self._engine, self._run, roots, self.paths)

    def _write_part(
        self, connection: sa.Connection, documents: Sequence[Document], counts: CatalogueCounts
    ) -> None:
        part = CatalogueCounts()
        with self._targets.remembering():
            self._write(connection, documents, part)
        counts.add(part)

    def _write_refused(
        self, connection: sa.Connection, document: Document, reason: str, counts: CatalogueCounts
    ) -> None:
        """Keep a record problem in place of a document that the database refuses."""
        problem = RecordProblem(document.path, None, f"cannot be stored{reason}")
        stand_in = Document(document.path, None, (), (problem,))

        def give_up(_: sa.Connection, __: Document, ___: str) -> None:
            counts.problems += 1
            CATALOGUE_LOGGER.error("%s cannot be stored%s", document.path, reason)

        write_in_parts(
            connection, [stand_in], lambda part, documents: self._write_part(part, documents, counts), give_up
        )

    def _write(
        self, connection: sa.Connection, documents: Sequence[Document], counts: CatalogueCounts
    ) -> None:
        counts.problems += self._records.write_problems(connection, documents)
        records = [(record, document) for document in documents for record in document.records]
        ids, obsolete_ids = self._records.write(connection, documents, records)
        links = [(ids[record.path, record.index], link) for record, _ in records for link in record.links]
        places = [self._placed(link) for _, link in links]
        self._targets.write(connection, places)
        rows = [
            self._link_row(record_id, link, place)
            for (record_id, link), place in zip(links, places, strict=True)
        ]
        self._links.write(connection, [*ids.values(), *obsolete_ids], rows)
        self._sources.write(connection, documents, self._private(documents))
        counts.records += len(records)
        counts.links += len(rows)

    def _placed(self, link: Link) -> LinkTarget:
        place = self._places.get(link.text)
        if place is None:
            if len(self._places) >= MAX_TEXTS_REMEMBERED:
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
            if (place := self._placed(link)).request_url != storable_text(place.shown)
        }

    def _link_row(self, record_id: int, link: Link, place: LinkTarget) -> Cells:
        return link_row(record_id, self._targets.ids[place.shown], link, place.text)


def _renamed(document: Document, path: str) -> Document:
    """The document under its identity."""
    if path == document.path:
        return document
    records = tuple(replace(record, path=path) for record in document.records)
    problems = tuple(replace(problem, path=path) for problem in document.problems)
    return replace(document, path=path, records=records, problems=problems)
