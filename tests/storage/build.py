"""Records and findings in the few words that a test needs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from storage.catalogue import Catalogue, LinkTarget
from storage.db import schema
from storage.ledger import begin_run
from storage.ledger.writer import LedgerWriter
from storage.model import (
    Class,
    Document,
    Finding,
    Kind,
    Link,
    Record,
    RecordProblem,
    Run,
    Standing,
    State,
    Verdict,
)

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def link(text: str, field: str = "webUrl", kind: Kind = Kind.WEB, line: int = 1) -> Link:
    """A link at the first column."""
    return Link(field, line, 1, text, kind)


def document(path: str, *records: Sequence[Link], problems: Sequence[str] = ()) -> Document:
    """A file with records of these links."""
    made = tuple(Record(path, number, tuple(links)) for number, links in enumerate(records))
    return Document(path, None, made, tuple(RecordProblem(path, 1, reason) for reason in problems))


def place(one: Link) -> LinkTarget:
    """Where a link leads: user and password are masked by hand, as the crawler does it."""
    scheme, _, rest = one.text.partition("://")
    shown = f"{scheme}://***@{rest.partition('@')[2]}" if "@" in rest else one.text
    return LinkTarget(shown, shown, one.text)


def catalogued(engine: sa.Engine, *documents: Document, at: datetime = NOW) -> Run:
    """A run that has read some documents."""
    run = begin_run(engine, "audit", at)
    catalogue = Catalogue(engine, run, place)
    for one in documents:
        catalogue.put(one)
    catalogue.close()
    return run


def ids(engine: sa.Engine) -> dict[str, int]:
    """The id of every target by its URL."""
    with engine.connect() as connection:
        found = connection.execute(sa.select(schema.target.c.url, schema.target.c.id))
        return {row.url: row.id for row in found}


def advance(standing: Standing, finding: Finding) -> Standing:
    """A judgement in its simplest form: alive for a week, failing for a day, dead at the third time."""
    if finding.verdict.cls is Class.UNCHECKED:
        return standing
    at = finding.checked_at
    if finding.verdict.cls is Class.ALIVE:
        return Standing(State.ALIVE, at, alive_streak=1, checked_at=at, next_due=at + 7 * DAY)
    failures = standing.failures + 1
    state = State.DEAD if failures >= 3 else State.SUSPECT
    since = standing.failing_since or at
    return Standing(state, at, since, failures, checked_at=at, next_due=at + DAY)


def finding(target: int, verdict: Verdict = Verdict.OK, at: datetime = NOW) -> Finding:
    """What a check at a time said."""
    return Finding(target, "", verdict, at, status=200, attempts=1, requests=1, elapsed=0.25, bytes=512)


def write(engine: sa.Engine, run: Run, *findings: Finding) -> None:
    """Write findings without an event loop."""
    LedgerWriter(engine, run, advance).write(findings)


def rows(engine: sa.Engine, text: str) -> list[tuple[object, ...]]:
    """The rows of a query in plain SQL."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(text))]
