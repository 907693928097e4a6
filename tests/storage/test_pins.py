"""What people say of targets, and what that changes."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from storage import pins
from storage.ledger import begin_run
from storage.model import Issue, LinkIssue, Pin, PinWord, State, Verdict
from storage.queries import report as report_queries
from storage.queries import run as run_queries
from storage.queries.report import Entry, Totals
from storage.rollups.link_issues import judge_links
from tests.storage.build import DAY, NOW, catalogued, document, finding, ids, link, write

A, B = "https://a.example/", "https://b.example/"


def _pin(url: str, word: PinWord = PinWord.ALIVE) -> Pin:
    return Pin(url, word, "seen with a browser", "ann", NOW)


def _failing(engine: sa.Engine) -> None:
    """A record with two targets that both failed, and whose links both have an issue."""
    run = catalogued(engine, document("r.md", [link(A, "l[0]"), link(B, "l[1]")]))
    write(engine, run, *(finding(key, Verdict.GONE) for key in ids(engine).values()))
    judge_links(engine, lambda placed: {one.id: [LinkIssue(Issue.SIZE_MISMATCH)] for one in placed})


def _entries(engine: sa.Engine) -> dict[str, Entry]:
    return {entry.url: entry for entry in report_queries.entries(engine)}


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
    assert [target.url for target in run_queries.due_targets(engine, run, force=True)] == [B]
    shown = list(report_queries.entries(engine, reading_run=run))
    assert [(entry.url, entry.verdict, len(entry.links[0].issues)) for entry in shown] == [
        (B, Verdict.GONE, 1),
        (A, Verdict.EXCLUDED, 0),
    ]
    assert [(entry.asked, entry.not_asked) for entry in shown] == [
        (False, Verdict.NOT_REACHED),
        (False, None),
    ]


def test_pinned_target_is_no_news(engine: sa.Engine) -> None:
    """A person's word does not change by itself."""
    _failing(engine)
    pins.put(engine, _pin(A, PinWord.DEAD))
    run = begin_run(engine, "audit", NOW + DAY)
    write(engine, run, *(finding(key, Verdict.OK, NOW + DAY) for key in ids(engine).values()))
    assert [one.entry.url for one in report_queries.changes(engine, 1)] == [B]


def test_words_are_those_of_the_totals(engine: sa.Engine) -> None:
    """What holds of a run is the same by words alone as by the entries of a report."""
    seen: dict[str, tuple[set[str], set[str]]] = {}
    verdicts = (None, Verdict.OK, Verdict.GONE, Verdict.NOT_REACHED, Verdict.FORBIDDEN)
    for word in (None, *PinWord):
        for verdict in verdicts:
            for at in (NOW, NOW + 90 * DAY):
                url = f"https://x.example/{len(seen)}"
                first = catalogued(engine, document(f"{len(seen)}.md", [link(url)]))
                key = ids(engine)[url]
                if verdict is not None:
                    write(engine, first, finding(key, verdict))
                if word is not None:
                    pins.put(engine, _pin(url, word))
                run = catalogued(engine, document(f"{len(seen)}.md", [link(url)]), at=at)
                totals = Totals()
                for entry in report_queries.entries(engine, reading_run=run):
                    totals.add(entry)
                seen[url] = run_queries.fail_on_words(engine, run), totals.known
    assert all(by_words == by_entries for by_words, by_entries in seen.values())
    assert len({frozenset(words) for words, _ in seen.values()}) > len(verdicts)


def test_words_of_issues_leave_out_the_ignored(engine: sa.Engine) -> None:
    """An issue counts while one link has it whose target nobody ignores."""
    _failing(engine)
    run = catalogued(engine, document("r.md", [link(A, "l[0]"), link(B, "l[1]")]))
    pins.put(engine, _pin(A, PinWord.IGNORE))
    assert "size-mismatch" in run_queries.fail_on_words(engine, run)
    pins.put(engine, _pin(B, PinWord.IGNORE))
    assert run_queries.fail_on_words(engine, run) == set()
