"""Lists of targets: every filter leaves out what it should, every order holds, and parts fit together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from storage import pins
from storage.model import Class, Issue, Kind, LinkIssue, Pin, PinWord, State, Verdict
from storage.queries.dashboard import LinkPlace, TargetFilter, TargetOrder, broken
from storage.rollups.link_issues import judge_links
from tests.storage.build import DAY, NOW, catalogued, document, finding, ids, link, write

GONE = "https://b.example/gone"
DOWN = "https://a.example/DOWN_100%"
OLD = "https://c.example/old"
FINE = "https://a.example/fine"
NEVER = "https://a.example/never"
FAIL = {GONE, DOWN, OLD}


def _judged(placed: Sequence[Any]) -> dict[int, list[LinkIssue]]:
    return {one.id: [LinkIssue(Issue.SIZE_SCALED)] for one in placed if one.link.text in {FINE, GONE}}


@pytest.fixture
def filled(engine: sa.Engine) -> sa.Engine:
    """Three that fail, the oldest for long and dead, one that is fine, and one that was never checked."""
    first = catalogued(engine, document("a/r.md", [link(OLD)]), at=NOW - 40 * DAY)
    write(engine, first, *(finding(ids(engine)[OLD], Verdict.NOT_FOUND, NOW - 40 * DAY) for _ in range(1)))
    for days in (39, 38):
        again = catalogued(engine, document("a/r.md", [link(OLD)]), at=NOW - days * DAY)
        write(engine, again, finding(ids(engine)[OLD], Verdict.NOT_FOUND, NOW - days * DAY))
    run = catalogued(
        engine,
        document("a/r.md", [link(OLD, line=7), link(GONE, "images[0].url", Kind.IMAGE, 9)]),
        document("b/s.md", [link(OLD, line=3), link(DOWN, "l[1]"), link(FINE, "l[2]"), link(NEVER, "l[3]")]),
    )
    keys = ids(engine)
    said = {OLD: Verdict.NOT_FOUND, GONE: Verdict.GONE, DOWN: Verdict.TIMEOUT, FINE: Verdict.OK}
    write(engine, run, *(finding(keys[url], verdict) for url, verdict in said.items()))
    judge_links(engine, _judged)
    return engine


def _urls(
    engine: sa.Engine,
    wanted: TargetFilter,
    order: TargetOrder = TargetOrder.WORST,
    size: int = 10,
    page: int = 1,
) -> list[str]:
    return [one.url for one in broken(engine, wanted, order, size=size, page=page).rows]


def _counted(engine: sa.Engine, wanted: TargetFilter) -> tuple[int, bool]:
    part = broken(engine, wanted, TargetOrder.WORST, size=1)
    return part.total, part.more


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (TargetFilter(), FAIL),
        (TargetFilter(failing=False), {*FAIL, FINE, NEVER}),
        (TargetFilter(failing=False, classes=(Class.ALIVE,)), {FINE}),
        (TargetFilter(classes=(Class.HARD, Class.TRANSIENT)), FAIL),
        (TargetFilter(classes=(Class.HARD,), verdicts=(Verdict.TIMEOUT,)), set()),
        (TargetFilter(states=(State.DEAD,)), {OLD}),
        (TargetFilter(failing=False, states=(State.NEW,)), {NEVER}),
        (TargetFilter(kinds=(Kind.IMAGE, Kind.AMP)), {GONE}),
        (TargetFilter(verdicts=(Verdict.GONE, Verdict.TIMEOUT)), {GONE, DOWN}),
        (TargetFilter(severities=(4,)), {OLD}),
        (TargetFilter(issue=Issue.SIZE_SCALED), {GONE}),
        (TargetFilter(failing=False, issue=Issue.SIZE_SCALED), {GONE, FINE}),
        (TargetFilter(host="a.example"), {DOWN}),
        (TargetFilter(record="a/"), {OLD, GONE}),
        (TargetFilter(record="%"), set()),
        (TargetFilter(search="_100%"), {DOWN}),
        (TargetFilter(search="B.EXAMPLE"), {GONE}),
        (TargetFilter(search="gone' OR 1=1 --"), set()),
        (TargetFilter(failing=False, search="a.example/", host="a.example"), {DOWN, FINE, NEVER}),
    ],
    ids=lambda value: str(sorted(value) if isinstance(value, set) else value),
)
def test_filters_leave_out_what_does_not_fit(
    filled: sa.Engine, wanted: TargetFilter, expected: set[str]
) -> None:
    """What is listed is what is counted, and all of it fits everything that was asked."""
    assert set(_urls(filled, wanted)) == expected
    assert _counted(filled, wanted) == (len(expected), False)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (TargetOrder.WORST, [OLD, GONE, DOWN]),
        (TargetOrder.OLDEST, [OLD, GONE, DOWN]),
        (TargetOrder.HOST, [DOWN, GONE, OLD]),
        (TargetOrder.URL, [DOWN, GONE, OLD]),
    ],
)
def test_orders_hold_over_all_parts(filled: sa.Engine, order: TargetOrder, expected: list[str]) -> None:
    """One at a time gives the same as all at once, whether the list is counted wholly or not."""
    for wanted in (TargetFilter(), TargetFilter(search="example")):
        assert _urls(filled, wanted, order) == expected
        assert [_urls(filled, wanted, order, size=1, page=n) for n in range(1, 5)] == [
            *([u] for u in expected),
            [],
        ]


def test_longest_not_checked_comes_first(filled: sa.Engine) -> None:
    """Of all targets, the one that was never checked comes first by its last check."""
    assert _urls(filled, TargetFilter(failing=False), TargetOrder.CHECKED)[0] == NEVER


def test_row_tells_what_is_known(filled: sa.Engine) -> None:
    """Verdict, age, how many links name it and where the first stands."""
    [worst, *_] = broken(filled, TargetFilter(), TargetOrder.WORST, size=1).rows
    assert (worst.verdict, worst.state, worst.severity, worst.links) == (Verdict.NOT_FOUND, State.DEAD, 4, 2)
    assert (worst.failing_since, worst.checked_at) == (NOW - 40 * DAY, NOW)
    assert worst.first == LinkPlace("a/r.md", 0, 7, 1, "webUrl")
    assert (worst.kind, worst.host, worst.status, worst.pin) == (Kind.WEB, "c.example", 200, None)


def test_pins_hide_and_show(filled: sa.Engine) -> None:
    """What a person says is dead is listed at once, what is to be ignored no longer."""
    pin = Pin(FINE, PinWord.DEAD, "moved away", "ann", NOW)
    pins.put(filled, pin)
    pins.put(filled, replace(pin, url=OLD, word=PinWord.IGNORE))
    [fine] = [
        one for one in broken(filled, TargetFilter(), TargetOrder.WORST, size=9).rows if one.url == FINE
    ]
    assert (fine.state, fine.pin, fine.severity) == (State.DEAD, PinWord.DEAD, 3)
    assert OLD not in _urls(filled, TargetFilter())


def test_long_lists_of_others_are_cut_and_say_so(filled: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has no index of its own is looked at to a bound; those that fail are counted all."""
    monkeypatch.setattr("storage.queries.dashboard.targets.MAX_LISTED_TARGETS", 2)
    assert _counted(filled, TargetFilter(failing=False)) == (2, True)
    assert len(_urls(filled, TargetFilter(failing=False))) == 2
    assert _counted(filled, TargetFilter()) == (3, False)
    monkeypatch.setattr("storage.queries.dashboard.targets.MAX_SEARCHED_LINKS", 1)
    assert _counted(filled, TargetFilter(record="b/"))[1]
