"""Where things stand: targets by state, and when they are due."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from storage import pins
from storage.db.database import open_engine
from storage.model import Pin, PinWord, State, Verdict
from storage.queries.report.target_counts import count_targets
from tests.storage.build import DAY, NOW, catalogued, document, finding, ids, link, write

URL = "https://site.example/"


def test_targets_are_counted_by_state_and_by_when_they_are_due(tmp_path: Path) -> None:
    """New ones are due, ignored and closed ones do not count, one that told nothing has no state."""
    engine = open_engine(f"sqlite:///{tmp_path}/linkhealth.db")
    names = ("alive", "failing", "new", "ignored", "walled")
    run = catalogued(
        engine, document("a.md", [link(URL + name) for name in names]), document("b.md", [link(URL + "b")])
    )
    known = ids(engine)
    verdicts = {"alive": Verdict.OK, "failing": Verdict.NOT_FOUND, "walled": Verdict.FORBIDDEN}
    write(engine, run, *(finding(known[URL + name], verdict) for name, verdict in verdicts.items()))
    pins.put(engine, Pin(URL + "ignored", PinWord.IGNORE, "a test", "ann", NOW))
    catalogued(engine, document("b.md", []), at=NOW)

    counts = count_targets(engine, NOW + DAY - timedelta(minutes=30))
    engine.dispose()

    assert counts.states[State.ALIVE] == counts.states[State.NEW] == 1
    assert counts.states[State.SUSPECT] == 2  # as `advance` of the tests has it
    due = counts.due
    assert (counts.targets, due.now, due.hour, due.day, due.later) == (4, 1, 2, 0, 1)
    assert due.next_due == NOW + DAY


def test_an_empty_database_has_nothing_due(tmp_path: Path) -> None:
    """No target, no date."""
    engine = open_engine(f"sqlite:///{tmp_path}/linkhealth.db")
    counts = count_targets(engine, NOW)
    engine.dispose()
    assert (counts.targets, counts.states, counts.due.next_due) == (0, {}, None)
