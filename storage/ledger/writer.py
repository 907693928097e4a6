"""Batches of findings into rows; runs in the thread of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from storage import schema
from storage.database import writing
from storage.model import Class, Finding, Run, Standing, Verdict
from storage.rows import (
    CACHED,
    LOOK,
    PROBE,
    STANDING,
    Cells,
    cached_row,
    event_row,
    finding_row,
    hop_rows,
    image_row,
    look_row,
    probe_row,
    standing_columns,
    standing_row,
    to_standing,
)
from storage.statements import Prepared, chunks, insert_new, insert_or_replace

Advance = Callable[[Standing, Finding], Standing]
# These say nothing about the target: what is known of it stays the newest word.
SILENT: Final = frozenset({Verdict.FRESH, Verdict.NOT_REACHED, Verdict.LOCAL_OUTAGE})
# A run may ask again what did not answer well; then it is judged from where it stood before.
ASKED_AGAIN: Final = frozenset({Class.HARD, Class.SOFT, Class.TRANSIENT, Class.CONTENT, Class.UNKNOWN})
EVENT: Final = ("target_id", "run_id", "at", "from_state", "to_state")


class Place(NamedTuple):
    """Where a target stands; `again`: this run has a finding on it already."""

    standing: Standing
    last_run: int | None
    again: bool


class Writer:
    """Writes the findings of one run; a later finding on a target replaces an earlier."""

    def __init__(self, engine: sa.Engine, run: Run, advance: Advance) -> None:
        self._engine, self._run, self._advance = engine, run, advance
        self._before: dict[int, Standing] = {}
        upsert = insert_or_replace(engine, schema.finding, ("run_id", "target_id"))
        columns = [column.name for column in schema.finding.c]
        self._findings = Prepared(engine, upsert, columns, distinct=True)
        self._standings = Prepared(engine, _update(), (*STANDING, "last_run", "key"), distinct=True)
        self._hops = _insert(engine, schema.hop)
        self._images = _insert(engine, schema.image)
        self._events = Prepared(engine, sa.insert(schema.event), EVENT)
        cached = insert_or_replace(engine, schema.cached, ("target_id",))
        self._cached = Prepared(engine, cached, CACHED)
        self._looks = Prepared(engine, insert_new(engine, schema.look), LOOK)
        probe = insert_or_replace(engine, schema.probe, ("folder",))
        self._probes = Prepared(engine, probe, PROBE)

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
        places = self._places(connection, list(latest))
        self._forget(connection, [key for key, place in places.items() if place.again])
        self._write_findings(connection, list(latest.values()))
        self._write_standings(connection, latest, places)

    def _places(self, connection: sa.Connection, ids: Sequence[int]) -> dict[int, Place]:
        target, finding = schema.target, schema.finding
        same = (finding.c.target_id == target.c.id) & (finding.c.run_id == self._run.id)
        columns = [target.c.id, target.c.last_run, finding.c.run_id, *standing_columns()]
        query = sa.select(*columns).join(finding, same, isouter=True)
        found: dict[int, Place] = {}
        for some in chunks(ids):
            for key, last_run, ours, *cells in connection.execute(query.where(target.c.id.in_(some))).all():
                found[key] = Place(to_standing(cells), last_run, again=ours is not None)
        return found

    def _forget(self, connection: sa.Connection, targets: Sequence[int]) -> None:
        """Remove what hangs on a finding that is replaced."""
        for some in chunks(targets):
            for table in (schema.hop, schema.image, schema.event):
                here = (table.c.run_id == self._run.id) & table.c.target_id.in_(some)
                connection.execute(sa.delete(table).where(here))

    def _write_findings(self, connection: sa.Connection, findings: Sequence[Finding]) -> None:
        run = self._run.id
        self._findings.run(connection, [finding_row(run, one) for one in findings])
        self._hops.run(connection, [row for one in findings for row in hop_rows(run, one)])
        pictures = [(one.target, one.picture) for one in findings if one.picture is not None]
        self._images.run(connection, [image_row(run, key, picture) for key, picture in pictures])
        kept = [one.cached for one in findings if one.cached is not None]
        self._cached.run(connection, [cached_row(one) for one in kept])
        looks = {one.picture.digest: one.likeness for one in kept}
        rows = [look_row(key, bits) for key, bits in looks.items() if key is not None and bits is not None]
        self._looks.run(connection, rows)
        self._probes.run(connection, [probe_row(probe) for one in findings for probe in one.probes])

    def _write_standings(
        self, connection: sa.Connection, findings: Mapping[int, Finding], places: Mapping[int, Place]
    ) -> None:
        updates: list[Cells] = []
        events: list[Cells] = []
        for key, place in places.items():
            finding = findings[key]
            before = self._standing_before(finding, place)
            after = self._advance(before, finding)
            last_run = place.last_run if finding.verdict in SILENT else self._run.id
            updates.append(standing_row(key, after, last_run))
            if after.state is not before.state:
                events.append(event_row(self._run.id, finding, before.state, after.state))
        self._standings.run(connection, updates)
        self._events.run(connection, events)

    def _standing_before(self, finding: Finding, place: Place) -> Standing:
        """Where the target stood before this run, as far as the run remembers."""
        before = self._before.get(finding.target, place.standing)
        if finding.verdict.cls in ASKED_AGAIN:
            self._before[finding.target] = before
        return before


def _insert(engine: sa.Engine, table: sa.Table) -> Prepared:
    return Prepared(engine, sa.insert(table), [column.name for column in table.c])


def _update() -> sa.Update:
    table = schema.target
    names = (*STANDING, "last_run")
    values: dict[str, Any] = {name: sa.bindparam(name, type_=table.c[name].type) for name in names}
    where = table.c.id == sa.bindparam("key", type_=sa.Integer)
    return sa.update(table).where(where).values(values)
