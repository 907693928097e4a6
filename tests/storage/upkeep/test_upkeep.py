"""Judging again, thinning out, taking out."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from crawler.verdicts.states import RevisitIntervals, StateThresholds
from crawler.verdicts.states import advance as judge
from storage.db import database
from storage.db.database import open_engine
from storage.db.engine import make_engine
from storage.db.schema import SCHEMA_VERSION
from storage.db.transactions import writing
from storage.errors import SchemaError
from storage.ledger import begin_run
from storage.ledger.writer import LedgerWriter
from storage.model import State, Verdict
from storage.queries import report as queries
from storage.queries.report import Entry
from storage.rollups.targets import update_targets
from storage.upkeep.export import ExportError, export_csv, export_parquet
from storage.upkeep.prune import prune
from storage.upkeep.rejudge import ChangedState, DeathCalls, rejudge
from tests.storage.build import DAY, NOW, catalogued, document, finding, ids, link, rows, write

pytestmark = pytest.mark.libraries

A, B = "https://a.example/", "https://b.example/"
OK, GONE, FORBIDDEN, SILENT = Verdict.OK, Verdict.GONE, Verdict.FORBIDDEN, Verdict.NOT_REACHED
EVENTS = "SELECT target_id, run_id, from_state, to_state FROM event ORDER BY target_id, id"
PATIENT = partial(judge, evidence=StateThresholds(hard_failures=5), freshness=RevisitIntervals())
USUAL = partial(judge, evidence=StateThresholds(), freshness=RevisitIntervals())


def _story(engine: sa.Engine, url: str, *verdicts: Verdict) -> None:
    """Daily checks of one target, under the usual policy."""
    catalogued(engine, document("r.md", [link(A, "l[0]"), link(B, "l[1]")]))
    key = ids(engine)[url]
    for day, verdict in enumerate(verdicts):
        at = NOW + day * DAY
        made = replace(finding(key, verdict, at), url=url)
        LedgerWriter(engine, begin_run(engine, "audit", at), USUAL).write([made])


def _entry(engine: sa.Engine, url: str) -> Entry:
    entry = queries.find(engine, url)
    assert entry is not None
    return entry


def _standings(engine: sa.Engine) -> list[tuple[object, ...]]:
    return rows(engine, "SELECT * FROM target ORDER BY id")


def test_judging_again_by_the_same_policy_changes_nothing(engine: sa.Engine) -> None:
    """A state is a function of the findings and the policy: the same twice gives the same."""
    _story(engine, A, OK, GONE, FORBIDDEN, GONE, GONE, SILENT, OK, GONE, OK, OK)
    update_targets(engine)
    before = _standings(engine), rows(engine, EVENTS)
    told = rejudge(engine, USUAL, write=True)
    assert (_standings(engine), rows(engine, EVENTS)) == before
    assert (told.targets, told.findings, told.changed_states) == (2, 10, [])
    assert told.before == told.after == DeathCalls(dead=1, false=1)


def test_another_policy_is_told_before_it_is_kept(engine: sa.Engine) -> None:
    """Judging again says what would change and how many calls were false; only `write` keeps it."""
    _story(engine, A, OK, GONE, GONE, GONE)
    _story(engine, B, GONE, GONE, GONE, OK)
    update_targets(engine)
    before = _standings(engine), rows(engine, EVENTS)
    told = rejudge(engine, PATIENT)
    assert told.changed_states == [ChangedState(A, State.DEAD, State.SUSPECT)]
    assert (told.before, told.after) == (DeathCalls(dead=2, false=1), DeathCalls())
    assert (_standings(engine), rows(engine, EVENTS)) == before

    rejudge(engine, PATIENT, write=True)
    assert (_entry(engine, A).state, _entry(engine, B).state) == (State.SUSPECT, State.ALIVE)
    assert [row[2:] for row in rows(engine, EVENTS)] == [
        ("new", "alive"),
        ("alive", "suspect"),
        ("new", "suspect"),
        ("suspect", "alive"),
    ]
    rejudge(engine, USUAL, write=True)
    assert (_standings(engine), [row[1:] for row in rows(engine, EVENTS)]) == (
        before[0],
        [row[1:] for row in before[1]],
    )


def _days(engine: sa.Engine, url: str) -> list[int]:
    return [(one.at - NOW).days for one in queries.history(engine, ids(engine)[url])]


def test_pruning_keeps_the_ends_of_each_state(engine: sa.Engine) -> None:
    """Of each state the first and the last finding stay, of a suspect all, and all that is young."""
    _story(engine, A, *[OK] * 5, GONE, FORBIDDEN, GONE, GONE, GONE, GONE, SILENT, *[OK] * 6)
    hops = "SELECT run_id, target_id, 1, 1, 'GET', 'x', 404, NULL, 0.1, NULL FROM finding"
    with writing(engine) as connection:
        connection.execute(sa.text(f"INSERT INTO hop {hops}"))
    before = rows(engine, EVENTS), _standings(engine)
    counts = prune(engine, NOW + 15 * DAY)
    assert _days(engine, A) == [0, 4, 5, 7, 10, 12, 15, 16, 17]
    assert (counts.findings, counts.deleted) == (18, 9)
    assert rows(engine, "SELECT count(*) FROM hop") == [(9,)]
    assert (rows(engine, EVENTS), _standings(engine)) == before
    assert prune(engine, NOW + 15 * DAY).deleted == 0


def test_pruned_history_is_judged_the_same(engine: sa.Engine) -> None:
    """What pruning leaves leads to the same states and events."""
    _story(engine, A, OK, OK, GONE, GONE, GONE, GONE, OK, GONE, GONE, OK, OK, OK)
    before = rows(engine, EVENTS)
    prune(engine, NOW + 90 * DAY)
    told = rejudge(engine, USUAL, write=True)
    assert (told.changed_states, rows(engine, EVENTS)) == ([], before)


def test_pruning_keeps_the_newest_word(engine: sa.Engine) -> None:
    """The finding that reports show stays, however old and whatever its class."""
    _story(engine, A, OK, FORBIDDEN, FORBIDDEN)
    prune(engine, NOW + 90 * DAY)
    assert _days(engine, A) == [0, 2]
    found = _entry(engine, A).finding
    assert found is not None
    assert found.verdict is FORBIDDEN


def test_export_holds_no_formula(engine: sa.Engine, tmp_path: Path) -> None:
    """What a spreadsheet would compute gets an apostrophe before it, in every table."""
    catalogued(engine, document("=cmd.md", [link("=HYPERLINK(1)"), link("@SUM(1)", "+x"), link("-1", " =y")]))
    run = begin_run(engine, "audit", NOW)
    write(engine, run, *(replace(finding(key), detail="=1+1") for key in ids(engine).values()))
    files = export_csv(engine, tmp_path / "out") + export_csv(engine, tmp_path / "found.csv")
    cells = [cell for file in files for row in csv.reader(io.StringIO(file.read_text())) for cell in row]
    assert "'=HYPERLINK(1)" in cells
    assert not [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@"))]


def test_export_as_csv(engine: sa.Engine, tmp_path: Path) -> None:
    """A folder gets every table, a file the findings with their URLs; times carry their zone."""
    _story(engine, A, OK, GONE)
    files = export_csv(engine, tmp_path / "out")
    (alone,) = export_csv(engine, tmp_path / "found.csv")
    assert {"finding.csv", "target.csv", "event.csv", "link.csv", "pin.csv"} <= {file.name for file in files}
    with alone.open(newline="") as file:
        found = list(csv.DictReader(file))
    assert [(row["url"], row["verdict"], row["checked_at"]) for row in found] == [
        (A, "ok", "2026-11-23T04:00:00Z"),
        (A, "gone", "2026-11-24T04:00:00Z"),
    ]
    with (tmp_path / "out" / "event.csv").open(newline="") as file:
        assert [row["to_state"] for row in csv.DictReader(file)] == ["alive", "suspect"]


def test_export_as_parquet(engine: sa.Engine, tmp_path: Path) -> None:
    """Numbers stay numbers, times stay times, and an empty table has its columns."""
    parquet = pytest.importorskip("pyarrow.parquet")
    _story(engine, A, OK, GONE)
    export_parquet(engine, tmp_path / "out")
    (alone,) = export_parquet(engine, tmp_path / "found.parquet")
    found = parquet.read_table(alone).to_pylist()
    assert [(row["url"], row["status"], row["checked_at"]) for row in found] == [
        (A, 200, NOW),
        (A, 200, NOW + DAY),
    ]
    assert parquet.read_table(tmp_path / "out" / "pin.parquet").column_names[0] == "url"


def test_export_to_where_nothing_can_be_written(file_engine: sa.Engine, tmp_path: Path) -> None:
    """A path that cannot be written is named."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="file cannot be written"):
        export_csv(file_engine, tmp_path / "file")


LINK = 'kind, field, item, line, "column", text, first_run'
SPARED = "'timeout', 'transient', 1, 0, 0, 0, '{}', 'not asked itself: others failed'"
FACTS = "verdict, class, attempts, requests, elapsed, bytes, checked_at, detail"


def _first_release(url: str) -> None:
    """Make a database as the first release made it, and fill it."""
    engine = make_engine(url)
    now = f"{NOW:%Y-%m-%d %H:%M:%S}"
    with writing(engine) as connection:
        config = Config()
        config.set_main_option("script_location", str(database.MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for text in (
            f"target (url, host, state, checked_at) VALUES ('{A}', 'a', 'dead', '{now}')",
            f"run (command, started_at) VALUES ('audit', '{now}')",
            "record (path, number, seen_run) VALUES ('r.md', 0, 1)",
            f"event (target_id, run_id, at, from_state, to_state) VALUES (1, 1, '{now}', 'new', 'dead')",
            f"link (record_id, target_id, {LINK}) VALUES (1, 1, 'web', 'webUrl', '', 1, 1, '{A}', 1)",
            f"finding (run_id, target_id, {FACTS}) VALUES (1, 1, {SPARED.format(now)})",
        ):
            connection.execute(sa.text(f"INSERT INTO {text}"))
    engine.dispose()


def test_upgrade_from_the_first_release(url: str) -> None:
    """A database of the first release is refused by name of the cure, then upgraded with all in it."""
    _first_release(url)
    with pytest.raises(SchemaError, match="linkhealth db upgrade"):
        open_engine(url)
    engine = open_engine(url, older=True)
    assert database.upgrade(engine) == "0001"
    assert database.upgrade(engine) == SCHEMA_VERSION
    engine.dispose()
    engine = open_engine(url)
    assert rows(engine, "SELECT url, state, turns FROM target") == [(A, "dead", None)]
    assert rows(engine, EVENTS) == [(1, 1, "new", "dead")]
    assert rows(engine, "SELECT substr(CAST(added_at AS text), 1, 19), hazard FROM target") == [
        (f"{NOW:%Y-%m-%d %H:%M:%S}", None)
    ]
    (entry,) = queries.entries(engine, run=queries.runs(engine)[0])
    assert entry.finding is not None
    assert entry.finding.evidence.spared
    run = catalogued(engine, document("r.md", [link(A)]), at=NOW + 40 * DAY)
    LedgerWriter(engine, run, USUAL).write([finding(1, OK, NOW + 40 * DAY)])
    assert _entry(engine, A).state is State.ALIVE
    engine.dispose()
