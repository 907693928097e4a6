"""Many rows at once come to the same as each by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from storage.db import schema
from storage.db.rows import STANDING_COLUMNS
from storage.db.statements import MIN_COPY_ROWS, PreparedStatement
from storage.db.transactions import writing
from storage.errors import LedgerError
from storage.ledger import begin_run
from storage.ledger.writer import LedgerWriter
from storage.model import Evidence, Finding, Hop, Redirect, Verdict
from tests.storage.build import DAY, NOW, advance, catalogued, document, finding, ids, link, rows, write

pytestmark = pytest.mark.libraries

MANY = 3 * MIN_COPY_ROWS
STRANGE = (
    "tab\there",
    "line\nbreak\r",
    "back\\slash \\N \\.",
    "N\u00e4chste \U0001f642",
    "",
    "'quoted' \"twice\"",
    "%s %% %",
)
EVENT = ("target_id", "run_id", "at", "from_state", "to_state")
FACTS = ", ".join(f'"{column.name}"' for column in schema.finding.c if column.name != "run_id")
STANDINGS = f"SELECT id, {', '.join(STANDING_COLUMNS)} FROM target ORDER BY id"


def _targets(engine: sa.Engine) -> list[int]:
    links = [link(f"https://a.example/{n}?{STRANGE[n % len(STRANGE)]}", f"l[{n}]") for n in range(MANY)]
    catalogued(engine, document("a.md", links))
    assert {text for (text,) in rows(engine, "SELECT text FROM link")} == {one.text for one in links}
    return list(ids(engine).values())


def _strange(key: int, number: int) -> Finding:
    text = STRANGE[number % len(STRANGE)]
    made = finding(key, Verdict.GONE if number % 3 else Verdict.OK, NOW + number * DAY)
    return replace(
        made,
        detail=text,
        elapsed=number / 7,
        status=None if number % 2 else 200,
        redirects=(Redirect(text, 301),),
        hops=(Hop(text, "GET", None, "timeout", 0.5), Hop(text, "GET", 200, None, 0.25, 2, "192.0.2.1")),
        retry_at=NOW if number % 5 == 0 else None,
        evidence=Evidence(https=text, waited=float(number)),
    )


def _all(engine: sa.Engine, run: int) -> list[list[tuple[str, ...]]]:
    found = []
    for table, columns in (
        ("finding", FACTS),
        ("hop", "target_id, number, attempt, method, url, status, error, elapsed, address"),
        ("event", "target_id, at, from_state, to_state"),
    ):
        query = f"SELECT {columns} FROM {table} WHERE run_id = {run} ORDER BY 1, 2, 3"
        found.append([tuple(map(str, row)) for row in rows(engine, query)])
    return found


def test_many_findings_are_written_as_one_is(engine: sa.Engine) -> None:
    """One batch of many leaves the same rows as a batch for each, whatever stands in them."""
    keys = _targets(engine)
    made = [_strange(key, number) for number, key in enumerate(keys)]
    together, alone = begin_run(engine, "audit", NOW), begin_run(engine, "audit", NOW)
    write(engine, together, *made)
    states = rows(engine, STANDINGS)
    with writing(engine) as connection:
        empty = dict.fromkeys(("since", "failing_since", "checked_at", "next_due", "last_run"))
        connection.execute(sa.update(schema.target).values(state="new", failures=0, alive_streak=0, **empty))
    for one in made:
        write(engine, alone, one)
    assert _all(engine, together.id) == _all(engine, alone.id)
    assert rows(engine, STANDINGS) == states
    assert rows(engine, "SELECT DISTINCT last_run FROM target") == [(alone.id,)]


def test_many_second_findings_replace_the_first(engine: sa.Engine) -> None:
    """A batch of many that a run has findings on already leaves one each, the later."""
    keys = _targets(engine)
    run = begin_run(engine, "audit", NOW)
    writer = LedgerWriter(engine, run, advance)
    for verdict in (Verdict.TIMEOUT, Verdict.GONE):
        writer.write([finding(key, verdict) for key in keys])
    assert rows(engine, "SELECT verdict, count(*) FROM finding GROUP BY verdict") == [("gone", MANY)]
    assert rows(engine, "SELECT to_state, count(*) FROM event GROUP BY to_state") == [("suspect", MANY)]


def test_failure_among_many_rows_is_told_and_leaves_nothing(engine: sa.Engine) -> None:
    """What the database refuses is a sentence, and the transaction is undone."""
    (key, *_) = _targets(engine)
    event = PreparedStatement(engine, sa.insert(schema.event), EVENT)
    made = [(key, 1, "2026-11-23 04:00:00", "new", "dead")] * MIN_COPY_ROWS
    with pytest.raises(LedgerError), writing(engine) as connection:
        event.run(connection, [*made, (10**9, 1, "2026-11-23 04:00:00", "new", "dead")])
    assert rows(engine, "SELECT count(*) FROM event") == [(0,)]
    with writing(engine) as connection:
        event.run(connection, made)
    assert rows(engine, "SELECT count(*) FROM event") == [(MIN_COPY_ROWS,)]
