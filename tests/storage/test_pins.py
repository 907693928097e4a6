"""What people say of targets, and what that changes."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from storage import pins, queries
from storage.ledger import begin_run
from storage.model import Issue, LinkIssue, Pin, PinWord, State, Verdict
from storage.queries import Entry, Totals
from storage.settling import settle
from tests.storage.build import DAY, NOW, catalogued, document, finding, ids, link, write

A, B = "https://a.example/", "https://b.example/"


def _pin(url: str, word: PinWord = PinWord.ALIVE) -> Pin:
    return Pin(url, word, "seen with a browser", "ann", NOW)


def _failing(engine: sa.Engine) -> None:
    """A record with two targets that both failed, and whose links both have an issue."""
    run = catalogued(engine, document("r.md", [link(A, "l[0]"), link(B, "l[1]")]))
    write(engine, run, *(finding(key, Verdict.GONE) for key in ids(engine).values()))
    settle(engine, lambda placed: {one.id: [LinkIssue(Issue.SIZE_MISMATCH)] for one in placed})


def _entries(engine: sa.Engine) -> dict[str, Entry]:
    return {entry.url: entry for entry in queries.entries(engine)}


def test_pin_is_kept_replaced_and_removed(engine: sa.Engine) -> None:
    """There is one pin a target, with its author and date; it may come before any record."""
    pins.put(engine, _pin(B))
    pins.put(engine, _pin(A))
    pins.put(engine, _pin(A, PinWord.DEAD))
    assert pins.pins(engine) == [_pin(A, PinWord.DEAD), _pin(B)]
    assert pins.remove(engine, A)
    assert not pins.remove(engine, A)
    assert pins.pins(engine) == [_pin(B)]


@pytest.mark.parametrize("word", [PinWord.ALIVE, PinWord.DEAD])
def test_pinned_state_is_what_reports_show(engine: sa.Engine, word: PinWord) -> None:
    """A pin overrides the state of its target and of no other; the finding stays."""
    _failing(engine)
    pins.put(engine, _pin(A, word))
    found = _entries(engine)
    assert (found[A].state, found[A].verdict, found[A].pin) == (
        State(word.value),
        Verdict.GONE,
        _pin(A, word),
    )
    assert (found[B].state, found[B].pin) == (State.SUSPECT, None)


def test_pinned_alive_is_no_problem(engine: sa.Engine) -> None:
    """What a person calls alive fails nothing but by its issues; what they call dead does."""
    _failing(engine)
    known = {}
    for word in (PinWord.ALIVE, PinWord.DEAD, PinWord.IGNORE):
        pins.put(engine, _pin(A, word))
        totals = Totals()
        totals.add(_entries(engine)[A])
        known[word] = totals.known
    assert known == {
        PinWord.ALIVE: {"alive", "issues", "size-mismatch"},
        PinWord.DEAD: {"dead", "gone", "hard", "issues", "size-mismatch"},
        PinWord.IGNORE: set(),
    }


def test_ignored_target_is_neither_asked_nor_accused(engine: sa.Engine) -> None:
    """An ignored target is never due, not even by force; it is excluded and stands last."""
    _failing(engine)
    pins.put(engine, _pin(A, PinWord.IGNORE))
    run = catalogued(engine, document("r.md", [link(A, "l[0]"), link(B, "l[1]")]), at=NOW + 40 * DAY)
    assert [target.url for target in queries.due(engine, run, force=True)] == [B]
    shown = list(queries.entries(engine, asked=run))
    assert [(entry.url, entry.verdict, len(entry.links[0].issues)) for entry in shown] == [
        (B, Verdict.NOT_REACHED, 1),
        (A, Verdict.EXCLUDED, 0),
    ]
    assert shown[1].known is Verdict.EXCLUDED


def test_pinned_target_is_no_news(engine: sa.Engine) -> None:
    """A person's word does not change by itself."""
    _failing(engine)
    pins.put(engine, _pin(A, PinWord.DEAD))
    run = begin_run(engine, "audit", NOW + DAY)
    write(engine, run, *(finding(key, Verdict.OK, NOW + DAY) for key in ids(engine).values()))
    assert [one.entry.url for one in queries.changes(engine, 1)] == [B]
