"""Where things stand: the last run, what is due, who holds the lock."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from crawler.cli.main import cli
from storage.db import lock
from storage.db.database import open_engine
from storage.ledger import end_run
from storage.model import RunEnd
from tests.storage.build import catalogued, document, finding, ids, link, write

URL: Final = "https://site.example/"
KEYS: Final = {
    *("last_run", "lock", "known_targets", "states", "due", "postponed"),
    *("run", "targets", "lanes", "lower_bound", "rate", "workers", "shards"),
}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _status(*words: str) -> str:
    ended = CliRunner().invoke(cli, ["status", *words], standalone_mode=False)
    assert (ended.exception, ended.return_value, ended.stderr) == (None, 0, "")
    return ended.stdout


def _document() -> dict[str, object]:
    document: dict[str, object] = json.loads(_status("--format", "json"))
    assert set(document) == KEYS
    return document


def _with_run(end: RunEnd | None) -> None:
    engine = open_engine("sqlite:///linkhealth.db")
    now = datetime.now(UTC) - timedelta(hours=2)
    run = catalogued(engine, document("a.md", [link(URL + "1"), link(URL + "2")]), at=now)
    write(engine, run, finding(ids(engine)[URL + "1"], at=now))
    if end is not None:
        end_run(engine, run, end, now + timedelta(seconds=9))
    engine.dispose()


def test_before_the_first_run_there_is_nothing_to_tell() -> None:
    """It is no mistake, and makes no file."""
    assert "no run yet" in _status()
    assert _document()["last_run"] is None
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("end", [RunEnd.FINISHED, RunEnd.DEADLINE])
def test_the_last_run_and_what_is_due_are_told(end: RunEnd) -> None:
    """How it ended, what is new or due, and that nobody holds the lock."""
    _with_run(end)
    lines = dict(line.split(maxsplit=1) for line in _status().splitlines())
    assert lines["last"].startswith("run  run 1 (audit), begun ")
    assert lines["last"].endswith(f"{end.value} after 9 s")
    assert lines["lock"] == "free"
    assert lines["targets"] == "2: 1 new, 1 alive"
    assert lines["due"].startswith("1 now, 0 within an hour, 0 within a day, 1 later; the next at ")
    document = _document()
    assert document["due"] == {**document["due"], "now": 1, "later": 1}  # type: ignore[dict-item]
    assert document["states"] == {"alive": 1, "new": 1}


def test_a_run_that_never_said_how_it_ended_goes_on_or_was_killed() -> None:
    """Who holds the lock tells which."""
    _with_run(None)
    assert "killed" in _status()
    engine: sa.Engine = open_engine("sqlite:///linkhealth.db")
    with lock.hold(engine, "audit"):
        text = _status()
    engine.dispose()
    assert "goes on" in text
    assert "runs 'linkhealth audit' since" in text
