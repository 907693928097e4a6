"""Batches of findings into rows; runs in the thread of the ledger."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import sqlalchemy as sa

from storage.db import schema
from storage.db.predicates import finding_of_run
from storage.db.rows import (
    CACHED_COLUMNS,
    HASH_COLUMNS,
    PROBE_COLUMNS,
    STANDING_COLUMNS,
    Cells,
    cached_row,
    event_row,
    finding_row,
    hash_row,
    hop_rows,
    image_row,
    probe_row,
    standing_columns,
    standing_row,
    to_standing,
)
from storage.db.statements import PreparedStatement, chunks, insert_new, insert_or_replace
from storage.db.transactions import write_in_parts, writing
from storage.model import Class, Finding, Run, Standing, Verdict

WRITER_LOGGER: Final = logging.getLogger(__name__)
Advance = Callable[[Standing, Finding], Standing]
# A run may ask again what did not answer well; then it is judged from where it stood before.
SECOND_PASS_CLASSES: Final = frozenset(
    {Class.HARD, Class.SOFT, Class.TRANSIENT, Class.CONTENT, Class.UNKNOWN}
)
EVENT_COLUMNS: Final = ("target_id", "run_id", "at", "from_state", "to_state")


class TargetRecord(NamedTuple):
    """Where a target stands; `again`: this run has a finding on it already."""

    standing: Standing
    last_run: int | None
    again: bool


class LedgerWriter:
    """Writes the findings of one run; a later finding on a target replaces an earlier."""

    def __init__(self, engine: sa.Engine, run: Run, advance: Advance) -> None:
        self._engine = engine
        self._run = run
        self._advance = advance
        self._before: dict[int, Standing] = {}
        upsert = insert_or_replace(engine, schema.finding, ("run_id", "target_id"))
        columns = [column.name for column in schema.finding.c]
        self._findings = PreparedStatement(engine, upsert, columns, distinct=True)
        self._standings = PreparedStatement(
            engine, _update(), (*STANDING_COLUMNS, "last_run", "key"), distinct=True
        )
        self._hops = _insert(engine, schema.hop)
        self._images = _insert(engine, schema.image)
        self._events = PreparedStatement(engine, sa.insert(schema.event), EVENT_COLUMNS)
        cached = insert_or_replace(engine, schema.cached, ("target_id",))
        self._cached = PreparedStatement(engine, cached, CACHED_COLUMNS)
        self._looks = PreparedStatement(engine, insert_new(engine, schema.look), HASH_COLUMNS)
        probe = insert_or_replace(engine, schema.probe, ("folder",))
        self._probes = PreparedStatement(engine, probe, PROBE_COLUMNS)

    def write(self, findings: Sequence[Finding]) -> None:
        """Write one batch in one transaction.

        Raises:
            LedgerError: the database cannot take it; nothing of the batch is written.
        """
        with writing(self._engine) as connection:
            self.put(connection, findings)

    def put(self, connection: sa.Connection, findings: Sequence[Finding]) -> None:
        """Write one batch in a transaction of somebody else's; whoever raises there undoes it."""
        latest = {finding.target: finding for finding in findings}
        # In the order of the pages of the tables: lanes mix targets, and each would write pages of its own.
        in_order = sorted(latest.values(), key=_target_of)
        write_in_parts(connection, in_order, self._write, self._write_refused)

    def _write(self, connection: sa.Connection, findings: Sequence[Finding]) -> None:
        latest = {finding.target: finding for finding in findings}
        places = self._places(connection, list(latest))
        self._forget(connection, [key for key, place in places.items() if place.again])
        self._write_findings(connection, findings)
        self._write_standings(connection, latest, places)

    def _write_refused(self, connection: sa.Connection, finding: Finding, reason: str) -> None:
        """Keep that a finding was refused, so that its target does not vanish from the run."""
        WRITER_LOGGER.error("the finding on %s is not stored%s: report this", finding.url, reason)
        detail = f"its finding could not be stored{reason}"
        stand_in = Finding(finding.target, finding.url, Verdict.CRASHED, finding.checked_at, detail=detail)
        write_in_parts(connection, [stand_in], self._write, _log_loss)

    def _places(self, connection: sa.Connection, ids: Sequence[int]) -> dict[int, TargetRecord]:
        target, finding = schema.target, schema.finding
        columns = [target.c.id, target.c.last_run, finding.c.run_id, *standing_columns()]
        query = sa.select(*columns).join(finding, finding_of_run(self._run.id), isouter=True)
        records: dict[int, TargetRecord] = {}
        for target_ids in chunks(ids):
            for key, last_run, run_id, *cells in connection.execute(
                query.where(target.c.id.in_(target_ids))
            ).all():
                records[key] = TargetRecord(to_standing(cells), last_run, again=run_id is not None)
        return records

    def _forget(self, connection: sa.Connection, targets: Sequence[int]) -> None:
        """Remove what hangs on a finding that is replaced."""
        for target_ids in chunks(targets):
            for table in (schema.hop, schema.image, schema.event):
                dependents = (table.c.run_id == self._run.id) & table.c.target_id.in_(target_ids)
                connection.execute(sa.delete(table).where(dependents))

    def _write_findings(self, connection: sa.Connection, findings: Sequence[Finding]) -> None:
        run = self._run.id
        self._findings.run(connection, [finding_row(run, finding) for finding in findings])
        self._hops.run(connection, [row for finding in findings for row in hop_rows(run, finding)])
        pictures = [(finding.target, finding.picture) for finding in findings if finding.picture is not None]
        self._images.run(connection, [image_row(run, key, picture) for key, picture in pictures])
        entries = [finding.cached for finding in findings if finding.cached is not None]
        self._cached.run(connection, [cached_row(finding) for finding in entries])
        hashes = {finding.picture.digest: finding.likeness for finding in entries}
        rows = [hash_row(key, bits) for key, bits in hashes.items() if key is not None and bits is not None]
        self._looks.run(connection, rows)
        self._probes.run(connection, [probe_row(probe) for finding in findings for probe in finding.probes])

    def _write_standings(
        self, connection: sa.Connection, findings: Mapping[int, Finding], places: Mapping[int, TargetRecord]
    ) -> None:
        updates: list[Cells] = []
        events: list[Cells] = []
        for key, place in places.items():
            finding = findings[key]
            before = self._standing_before(finding, place)
            after = self._advance(before, finding)
            last_run = place.last_run if finding.verdict.unasked else self._run.id
            updates.append(standing_row(key, after, last_run))
            if after.state is not before.state:
                events.append(event_row(self._run.id, finding, before.state, after.state))
        self._standings.run(connection, updates)
        self._events.run(connection, events)

    def _standing_before(self, finding: Finding, place: TargetRecord) -> Standing:
        """Where the target stood before this run, as far as the run remembers."""
        before = self._before.get(finding.target, place.standing)
        if finding.verdict.cls in SECOND_PASS_CLASSES:
            self._before[finding.target] = before
        return before


def _target_of(finding: Finding) -> int:
    return finding.target


def _log_loss(_: sa.Connection, finding: Finding, reason: str) -> None:
    WRITER_LOGGER.error("nothing of the finding on %s is stored%s", finding.url, reason)


def _insert(engine: sa.Engine, table: sa.Table) -> PreparedStatement:
    return PreparedStatement(engine, sa.insert(table), [column.name for column in table.c])


def _update() -> sa.Update:
    table = schema.target
    names = (*STANDING_COLUMNS, "last_run")
    values: dict[str, object] = {name: sa.bindparam(name, type_=table.c[name].type) for name in names}
    where = table.c.id == sa.bindparam("key", type_=sa.Integer)
    return sa.update(table).where(where).values(values)
