"""Records with something wrong: which, in which order, and what their items lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from storage import pins
from storage.model import Issue, Kind, Link, LinkIssue, Pin, PinWord, State, Verdict
from storage.queries import dashboard as queries
from storage.queries.report import at
from storage.rollups.link_issues import judge_links
from tests.storage.build import NOW, catalogued, document, finding, ids, write

A, B, C = "https://a.example/", "https://b.example/", "https://c.example/"


def _link(text: str, item: str, line: int, kind: Kind = Kind.WEB) -> Link:
    return Link(f"{item}.url", line, 3, text, kind, item)


def _judged(placed: Sequence[Any]) -> dict[int, list[LinkIssue]]:
    return {one.id: [LinkIssue(Issue.SIZE_SCALED, "4x3", "8x6")] for one in placed if one.link.text == C}


@pytest.fixture
def filled(engine: sa.Engine) -> sa.Engine:
    """Three records: one that lost much, one with an issue alone, one where all is well."""
    much = [
        _link(A, "r[1]", 9),
        _link(B, "r[0]", 4, Kind.IMAGE),
        _link(A, "r[0]", 5, Kind.AMP),
        _link(C, "", 1),
    ]
    run = catalogued(
        engine,
        document("x/much.md", much),
        document("x/little.md", [], [_link(C, "", 2)]),
        document("y/well.md", [_link(B, "", 2)]),
        document("z/odd.md", problems=["no mapping"]),
    )
    keys = ids(engine)
    write(engine, run, finding(keys[A], Verdict.GONE), finding(keys[B]), finding(keys[C]))
    judge_links(engine, _judged)
    return engine


def _keys(engine: sa.Engine) -> dict[str, int]:
    return {one.path: one.id for one in queries.weighed(engine, limit=9)}


def test_worst_record_comes_first(filled: sa.Engine) -> None:
    """By severity, then by how much is wrong; what is well is not there."""
    found = [(one.path, one.number, one.severity, one.faults) for one in queries.weighed(filled, limit=9)]
    assert found == [("x/much.md", 0, 2, 3), ("x/little.md", 1, 1, 1)]
    assert queries.count_weighed(filled) == 2
    assert [one.path for one in queries.weighed(filled, limit=1, skip=1)] == ["x/little.md"]


@pytest.mark.parametrize(
    ("prefix", "severities", "count"),
    [("x/", (), 2), ("x/m", (), 1), ("%", (), 0), ("", (1,), 1), ("", (3, 4), 0), ("y", (), 0)],
)
def test_records_are_filtered(
    filled: sa.Engine, prefix: str, severities: tuple[int, ...], count: int
) -> None:
    """By how the path begins, letter by letter, and by severity; the list is what is counted."""
    assert queries.count_weighed(filled, prefix=prefix, severities=severities) == count
    assert len(queries.weighed(filled, prefix=prefix, severities=severities, limit=9)) == count


def test_links_with_something_wrong_in_the_order_of_the_text(filled: sa.Engine) -> None:
    """Each with its place, its target and its issues; only the first of many."""
    keys = _keys(filled)
    found = queries.faults(filled, list(keys.values()), limit=2)
    much = found[keys["x/much.md"]]
    assert [(one.line, one.url, one.lost, one.severity) for one in much] == [
        (1, C, False, 1),
        (5, A, True, 1),
    ]
    assert much[0].issues == (LinkIssue(Issue.SIZE_SCALED, "4x3", "8x6"),)
    assert (much[1].verdict, much[1].state, much[1].failing_since) == (Verdict.GONE, State.SUSPECT, NOW)
    assert len(found[keys["x/little.md"]]) == 1


def test_shares_tell_what_is_lost_and_what_is_left(filled: sa.Engine) -> None:
    """By item and kind, in the order of the text."""
    key = _keys(filled)["x/much.md"]
    found = [(one.item, one.kind, one.links, one.lost) for one in queries.shares(filled, [key])[key]]
    assert found == [
        ("", Kind.WEB, 1, 0),
        ("r[0]", Kind.IMAGE, 1, 0),
        ("r[0]", Kind.AMP, 1, 1),
        ("r[1]", Kind.WEB, 1, 1),
    ]


def test_record_has_all_its_links(filled: sa.Engine) -> None:
    """Well or not, a part at a time; one that is well can be looked at, too."""
    key = _keys(filled)["x/much.md"]
    parts = [queries.links_of(filled, key, limit=3, skip=skip) for skip in (0, 3)]
    assert [[one.line for one in part] for part in parts] == [[1, 4, 5], [9]]
    well = queries.one_weighed(filled, "y/well.md", 0)
    assert well is not None
    assert (well.severity, well.faults) == (0, 0)
    assert queries.one_weighed(filled, "y/well.md", 1) is None
    assert queries.one_weighed(filled, "z/odd.md", 0) is None


def test_problems_are_told_by_file(filled: sa.Engine) -> None:
    """What could not be read is told of all files, or of one."""
    assert [one.path for one in queries.newest_problems(filled, limit=5)] == ["z/odd.md"]
    assert queries.newest_problems(filled, path="x/much.md", limit=5) == []


def test_ignored_target_has_no_issues(filled: sa.Engine) -> None:
    """What a person wants ignored is neither lost nor wrong."""
    pins.put(filled, Pin(C, PinWord.IGNORE, "why", "ann", NOW))
    assert [(one.path, one.faults) for one in queries.weighed(filled, limit=9)] == [("x/much.md", 2)]
    [first, *_] = queries.links_of(filled, _keys(filled)["x/much.md"], limit=1)
    assert (first.severity, first.issues) == (0, ())


def test_target_is_found_by_url_or_number_with_some_of_its_links(filled: sa.Engine) -> None:
    """However many links it has, no more are read than asked for, each with its issues."""
    key = ids(filled)[C]
    for which in (C, key):
        found = at(filled, which, limit=1)
        assert found is not None
        assert (found.url, found.verdict, len(found.links)) == (C, Verdict.OK, 1)
        assert [issue.issue for issue in found.links[0].issues] == [Issue.SIZE_SCALED]
    assert at(filled, "https://nobody.example/", limit=1) is None
    assert at(filled, 999, limit=1) is None


def test_target_that_is_to_be_asked_again_is_due(filled: sa.Engine) -> None:
    """The next run takes it, and it alone."""
    assert pins.mark_due(filled, B, NOW)
    assert not pins.mark_due(filled, "https://nobody.example/", NOW)
    due = {url: at(filled, url, limit=1) for url in (B, C)}
    assert [one is not None and one.next_due == NOW for one in due.values()] == [True, False]
