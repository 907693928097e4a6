"""The write side of a run: findings into rows, in batches, in one thread of its own.

`put` hands a finding over and returns; a batch is written when enough wait or a moment passed.
The write is shielded from cancellation, so that whatever ends a run, what was put is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from storage import schema
from storage.catalogue import chunks
from storage.database import explain
from storage.errors import StorageError
from storage.model import Class, Finding, Picture, Run, Standing, State, Verdict

Row = dict[str, Any]
Advance = Callable[[Standing, Finding], Standing]
BACKLOG: Final = 20  # batches that may wait before `put` waits for the writer
# These say nothing about the target: what is known of it stays the newest word.
SILENT: Final = frozenset({Verdict.FRESH, Verdict.NOT_REACHED, Verdict.LOCAL_OUTAGE})
STANDING: Final = (
    "state",
    "since",
    "failing_since",
    "failures",
    "hard_since",
    "hard",
    "alive_streak",
    "checked_at",
    "next_due",
)


def begin_run(engine: sa.Engine, command: str, now: datetime) -> Run:
    """Open a run."""
    with _writing(engine) as connection:
        made = connection.execute(sa.insert(schema.run).values(command=command, started_at=now))
        key = made.inserted_primary_key
    return Run(int(key[0]) if key else 0, command, now)


def end_run(engine: sa.Engine, run: Run, ended: str, now: datetime) -> Run:
    """Close a run with how it ended."""
    table = schema.run
    with _writing(engine) as connection:
        update = sa.update(table).where(table.c.id == run.id)
        connection.execute(update.values(ended=ended, finished_at=now))
    return Run(run.id, run.command, run.started_at, now, ended)


class _writing:  # noqa: N801 - reads as a phrase: with _writing(engine)
    """A transaction whose failures are told in a sentence."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine, self._begin = engine, engine.begin()

    def __enter__(self) -> sa.Connection:
        try:
            return self._begin.__enter__()
        except DBAPIError as exc:
            raise explain(exc, str(self._engine.url)) from exc

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._begin.__exit__(kind, exc, trace)
        except DBAPIError as failed:
            raise explain(failed, str(self._engine.url)) from failed
        if isinstance(exc, DBAPIError):
            raise explain(exc, str(self._engine.url)) from exc


class Ledger:
    """Takes the findings of one run: `async with Ledger(...) as ledger: await ledger.put(...)`.

    `advance` is the pure judgement of a history; every change of state becomes an event.
    """

    def __init__(
        self,
        engine: sa.Engine,
        run: Run,
        advance: Advance,
        *,
        batch: int = 500,
        every: float = 1.0,
    ) -> None:
        self._writer = _Writer(engine, run, advance)
        self._batch, self._every = batch, every
        self._waiting: list[Finding] = []
        self._thread = ThreadPoolExecutor(1, "ledger")
        self._write: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._failure: StorageError | None = None

    async def __aenter__(self) -> Self:
        """Begin to take findings."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what waits, whatever ended the run."""
        closing = asyncio.ensure_future(self._close())
        try:
            await asyncio.shield(closing)
        except asyncio.CancelledError:
            await closing
            raise

    async def put(self, finding: Finding) -> None:
        """Take one finding; wait only if the writer is far behind.

        Raises:
            LedgerError: the database takes no more.
        """
        if self._failure is not None:
            raise self._failure
        self._waiting.append(finding)
        if len(self._waiting) >= self._batch:
            self._start()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._every, self._start)
        while len(self._waiting) >= self._batch * BACKLOG and self._write is not None:
            await asyncio.wait({self._write})

    def _start(self) -> None:
        """Write the next batch, if none is being written."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._write is not None or not self._waiting:
            return
        batch, self._waiting = self._waiting, []
        loop = asyncio.get_running_loop()
        self._write = loop.run_in_executor(self._thread, self._writer.write, batch)
        self._write.add_done_callback(lambda done: self._written(done, batch))

    def _written(self, done: asyncio.Future[None], batch: list[Finding]) -> None:
        self._write = None
        exc = done.exception()
        if isinstance(exc, StorageError):
            # Kept for one more try when the run ends: the disk may have room again.
            self._failure, self._waiting = exc, batch + self._waiting
        elif exc is not None:
            self._failure = StorageError(f"the ledger failed: {exc}")
            self._failure.__cause__ = exc
        elif len(self._waiting) >= self._batch:
            self._start()

    async def _close(self) -> None:
        try:
            while self._write is not None:
                await asyncio.wait({self._write})
            loop = asyncio.get_running_loop()
            if self._waiting:
                batch, self._waiting = self._waiting, []
                await loop.run_in_executor(self._thread, self._writer.write, batch)
        finally:
            if self._timer is not None:
                self._timer.cancel()
            self._thread.shutdown(wait=False)


class _Writer:
    """Writes batches; runs in the ledger's thread."""

    def __init__(self, engine: sa.Engine, run: Run, advance: Advance) -> None:
        self._engine, self._run, self._advance = engine, run, advance
        # A target asked again in the same run is judged from where it stood before the run.
        self._before: dict[int, Standing] = {}
        insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
        statement = insert(schema.finding)
        keys = {"run_id", "target_id"}
        fresh = {c.name: statement.excluded[c.name] for c in schema.finding.c if c.name not in keys}
        self._upsert = statement.on_conflict_do_update(index_elements=sorted(keys), set_=fresh)
        table = schema.target
        names = (*STANDING, "last_run")
        values: dict[str, Any] = {name: sa.bindparam(name) for name in names}
        self._update = sa.update(table).where(table.c.id == sa.bindparam("key")).values(values)

    def write(self, findings: Sequence[Finding]) -> None:
        """Write one batch in one transaction; a later finding on a target replaces an earlier."""
        latest = {finding.target: finding for finding in findings}
        with _writing(self._engine) as connection:
            rows = self._standings(connection, list(latest))
            self._write_findings(connection, list(latest.values()))
            self._write_standings(connection, latest, rows)

    def _standings(
        self, connection: sa.Connection, ids: Sequence[int]
    ) -> dict[int, tuple[Standing, int | None]]:
        table = schema.target
        columns = [table.c.id, table.c.last_run, *(table.c[name] for name in STANDING)]
        found: dict[int, tuple[Standing, int | None]] = {}
        for some in chunks(ids):
            for row in connection.execute(sa.select(*columns).where(table.c.id.in_(some))):
                key, last_run, state, *rest = row
                found[key] = (Standing(State(state), *rest), last_run)
        return found

    def _write_findings(self, connection: sa.Connection, findings: Sequence[Finding]) -> None:
        run = self._run.id
        connection.execute(self._upsert, [_finding_row(run, one) for one in findings])
        again = [one.target for one in findings if one.target in self._before]
        for table in (schema.hop, schema.image):
            for some in chunks(again):
                where = (table.c.run_id == run) & table.c.target_id.in_(some)
                connection.execute(sa.delete(table).where(where))
        hops = [row for one in findings for row in _hop_rows(run, one)]
        if hops:
            connection.execute(sa.insert(schema.hop), hops)
        images = [_image_row(run, one, one.picture) for one in findings if one.picture]
        if images:
            connection.execute(sa.insert(schema.image), images)

    def _write_standings(
        self,
        connection: sa.Connection,
        findings: dict[int, Finding],
        rows: dict[int, tuple[Standing, int | None]],
    ) -> None:
        updates: list[Row] = []
        events: list[Row] = []
        for key, finding in findings.items():
            standing, last_run = rows.get(key, (Standing(), None))
            after = self._after(finding, standing)
            updates.append(_standing_row(key, after, self._last_run(finding, last_run)))
            if after.state is not standing.state:
                events.append(_event_row(self._run.id, finding, standing.state, after.state))
        connection.execute(self._update, updates)
        if events:
            connection.execute(sa.insert(schema.event), events)

    def _after(self, finding: Finding, standing: Standing) -> Standing:
        before = self._before.get(finding.target, standing)
        if finding.verdict.cls is Class.TRANSIENT or finding.target in self._before:
            self._before[finding.target] = before
        return self._advance(before, finding)

    def _last_run(self, finding: Finding, last_run: int | None) -> int | None:
        return last_run if finding.verdict in SILENT else self._run.id


def _finding_row(run: int, finding: Finding) -> Row:
    return {
        "run_id": run,
        "target_id": finding.target,
        "verdict": finding.verdict.value,
        "class": finding.verdict.cls.value,
        "status": finding.status,
        "final_url": finding.final_url,
        "moved_to": finding.moved_to,
        "redirects": [[one.url, one.status] for one in finding.redirects] or None,
        "attempts": finding.attempts,
        "requests": finding.requests,
        "elapsed": finding.elapsed,
        "bytes": finding.bytes,
        "checked_at": finding.checked_at,
        "detail": finding.detail,
        "retry_at": finding.retry_at,
        "evidence": finding.evidence or None,
    }


def _hop_rows(run: int, finding: Finding) -> list[Row]:
    """The requests of a finding; one that was fine at the first says all in its finding."""
    if finding.verdict is Verdict.OK and finding.requests <= 1:
        return []
    return [
        {
            "run_id": run,
            "target_id": finding.target,
            "number": number,
            "attempt": hop.attempt,
            "method": hop.method,
            "url": hop.url,
            "status": hop.status,
            "error": hop.error,
            "elapsed": hop.elapsed,
            "address": hop.address,
        }
        for number, hop in enumerate(finding.hops, 1)
    ]


def _image_row(run: int, finding: Finding, picture: Picture) -> Row:
    return {
        "run_id": run,
        "target_id": finding.target,
        "width": picture.size and picture.size.width,
        "height": picture.size and picture.size.height,
        "stored_width": picture.stored and picture.stored.width,
        "stored_height": picture.stored and picture.stored.height,
        "orientation": picture.orientation,
        "format": picture.format,
        "frames": picture.frames,
        "mode": picture.mode,
        "bytes": picture.bytes,
        "digest": picture.digest,
        "cached": picture.cached,
    }


def _standing_row(key: int, standing: Standing, last_run: int | None) -> Row:
    row: Row = {name: getattr(standing, name) for name in STANDING}
    return {**row, "state": standing.state.value, "key": key, "last_run": last_run}


def _event_row(run: int, finding: Finding, before: State, after: State) -> Row:
    return {
        "target_id": finding.target,
        "run_id": run,
        "at": finding.checked_at,
        "from_state": before.value,
        "to_state": after.value,
    }
