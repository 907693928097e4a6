"""The read side: what is due by kind, what reports show of a run or of all, stories, and counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
import sqlalchemy as sa

from storage.ledger import begin_run, end_run
from storage.ledger.writer import LedgerWriter
from storage.model import (
    Class,
    Declared,
    FileStamp,
    Hop,
    Issue,
    Kind,
    LinkIssue,
    Picture,
    RecordProblem,
    Redirect,
    Run,
    RunEnd,
    Size,
    State,
    Verdict,
)
from storage.queries import report as queries
from storage.queries.report import WORST_FIRST, Entry, Totals
from storage.queries.run import due_targets
from storage.rollups.link_issues import judge_links
from tests.storage.build import DAY, NOW, catalogued, document, finding, ids, link, write

pytestmark = pytest.mark.libraries

A: Final = "https://a.example/"
B: Final = "https://b.example/"
C: Final = "https://c.example/"


def _check(engine: sa.Engine, day: int = 0, **verdicts: Verdict) -> Run:
    """A run that asks targets by the letter of their host."""
    keys, at = ids(engine), NOW + day * DAY
    run = begin_run(engine, "audit", at)
    write(engine, run, *(finding(keys[_url(name)], verdict, at) for name, verdict in verdicts.items()))
    return run


def _url(name: str) -> str:
    return f"https://{name}.example/"


def _three(engine: sa.Engine, day: int = 0) -> Run:
    return catalogued(
        engine, document("r.md", [link(A), link(B, "l[1]"), link(C, "l[2]")]), at=NOW + day * DAY
    )


def _verdicts(entries: Iterator[Entry]) -> dict[str, str]:
    return {entry.url[8]: entry.verdict.value for entry in entries}


MIXED: Final = (
    link(A, "webUrl", Kind.WEB),
    link(A, "images[0].url", Kind.IMAGE, 2),
    link(B, "ampUrl", Kind.AMP, 3),
    link(C, "webUrl2", Kind.WEB, 4),
)


@pytest.mark.parametrize(
    ("kinds", "wanted"),
    [
        ((), {A: Kind.IMAGE, B: Kind.AMP, C: Kind.WEB}),
        ((Kind.WEB,), {A: Kind.WEB, C: Kind.WEB}),
        ((Kind.IMAGE,), {A: Kind.IMAGE}),
        ((Kind.AMP, Kind.WEB), {A: Kind.WEB, B: Kind.AMP, C: Kind.WEB}),
        ((Kind.AMP_CDN,), {}),
    ],
)
def test_due_by_kind(engine: sa.Engine, kinds: tuple[Kind, ...], wanted: dict[str, Kind]) -> None:
    """Only links of the kinds asked for count; of several, the most demanding is the target's."""
    run = catalogued(engine, document("r.md", MIXED))

    assert {one.url: one.kind for one in due_targets(engine, run, kinds=kinds)} == wanted


def test_due_is_each_target_once(engine: sa.Engine) -> None:
    """However many links and records name a target, it is due once, to the second and not before."""
    run = catalogued(engine, document("r.md", [link(A, "a"), link(A, "b")]), document("s.md", [link(A)]))
    assert [one.url for one in due_targets(engine, run)] == [A]
    _check(engine, a=Verdict.OK)

    second = timedelta(seconds=1)
    for late, urls in ((-second, []), (timedelta(), [A]), (second, [A])):
        run = catalogued(engine, document("r.md", [link(A)]), at=NOW + 7 * DAY + late)
        assert [one.url for one in due_targets(engine, run)] == urls
        assert [one.url for one in due_targets(engine, run, force=True)] == [A]


def test_closed_link_makes_nothing_due(engine: sa.Engine) -> None:
    """What no record names any more is neither asked, not even by force, nor reported."""
    _three(engine)
    run = catalogued(engine, document("r.md", [link(A)]), at=NOW + DAY)

    assert [one.url for one in due_targets(engine, run, force=True)] == [A]
    assert [one.url for one in queries.entries(engine)] == [A]


def test_newest_finding_of_all(engine: sa.Engine) -> None:
    """Without a run, each target is shown as it was last found, and the unasked as not reached."""
    _three(engine)
    _check(engine, 1, a=Verdict.OK, b=Verdict.GONE)
    _check(engine, 2, b=Verdict.OK)

    assert _verdicts(queries.entries(engine)) == {"a": "ok", "b": "ok", "c": "not-reached"}


def test_one_run_alone(engine: sa.Engine) -> None:
    """With a run, its findings alone are shown, whatever came later, and whether named or not."""
    _three(engine)
    first = _check(engine, 1, a=Verdict.OK, b=Verdict.GONE)
    second = _check(engine, 2, b=Verdict.OK)
    catalogued(engine, document("r.md", [link(A)]), at=NOW + 3 * DAY)

    assert _verdicts(queries.entries(engine, run=first)) == {"a": "ok", "b": "gone"}
    assert _verdicts(queries.entries(engine, run=second)) == {"b": "ok"}


def test_what_a_run_read(engine: sa.Engine) -> None:
    """A run's own report tells of each target it read: found, fresh, or due and not reached."""
    _three(engine)
    _check(engine, 1, a=Verdict.GONE, b=Verdict.OK)
    run = _three(engine, 5)
    write(engine, run, finding(ids(engine)[A], Verdict.OK, NOW + 5 * DAY))
    shown = {entry.url: entry for entry in queries.entries(engine, reading_run=run)}

    assert _verdicts(iter(shown.values())) == {"a": "ok", "b": "ok", "c": "not-reached"}
    assert shown[B].finding is not None
    assert [shown[url].not_asked for url in (A, B, C)] == [None, Verdict.FRESH, Verdict.NOT_REACHED]
    assert [shown[url].asked for url in (A, B, C)] == [True, False, False]


def test_fresh_problem_is_still_one(engine: sa.Engine) -> None:
    """A problem does not go away because it was not asked again."""
    _three(engine)
    _check(engine, 1, a=Verdict.GONE, b=Verdict.OK, c=Verdict.OK)
    run = _three(engine, 1)
    first = next(queries.entries(engine, reading_run=run))
    totals = Totals()
    totals.add(first)

    assert (first.url, first.verdict, first.not_asked) == (A, Verdict.GONE, Verdict.FRESH)
    assert (totals.verdicts, totals.not_asked) == ({"gone": 1}, {"fresh": 1})
    assert totals.known == {"gone", "hard", "suspect", "fresh"}


@pytest.mark.parametrize("why", [Verdict.LOCAL_OUTAGE, Verdict.NOT_REACHED, Verdict.POSTPONED])
def test_what_was_not_asked_keeps_what_holds(engine: sa.Engine, why: Verdict) -> None:
    """A run that did not ask a target says why, and what an earlier one found holds; else the why does."""
    _three(engine)
    _check(engine, 1, a=Verdict.GONE)
    run = _three(engine, 2)
    write(engine, run, *(finding(ids(engine)[url], why, NOW + 2 * DAY) for url in (A, B)))
    for entries in (queries.entries(engine), queries.entries(engine, reading_run=run)):
        shown = {entry.url: entry for entry in entries}
        assert shown[A].verdict is Verdict.GONE
        assert (shown[B].verdict, shown[B].not_asked, shown[B].finding) == (why, why, None)


def test_new_was_never_asked(engine: sa.Engine) -> None:
    """A target of which every answer says nothing has no state, and counts as none; `new` was never asked."""
    _three(engine)
    run = begin_run(engine, "audit", NOW)
    quiet = LedgerWriter(engine, run, lambda standing, _: standing)
    quiet.write([finding(ids(engine)[A], Verdict.FORBIDDEN)])
    totals = Totals()
    for entry in queries.entries(engine):
        totals.add(entry)

    assert totals.verdicts == {"forbidden": 1, "not-reached": 2}
    assert totals.states == {"new": 2}


def test_records_that_a_run_did_not_read(engine: sa.Engine) -> None:
    """A run over a part of the records tells of that part, and of the kinds of its own links."""
    catalogued(engine, document("r.md", [link(A, "images[0].url", Kind.IMAGE)]), document("s.md", [link(B)]))
    run = catalogued(engine, document("t.md", [link(A)]), at=NOW + DAY)
    (entry,) = queries.entries(engine, reading_run=run)

    assert (entry.url, entry.kind) == (A, Kind.WEB)
    assert [one.record for one in entry.links] == ["r.md", "t.md"]
    assert next(one for one in queries.entries(engine) if one.url == A).kind is Kind.IMAGE


def test_worst_class_comes_first(engine: sa.Engine) -> None:
    """Entries are in the order of their classes, then of their URLs, over pages of any number."""
    verdicts = [next(one for one in Verdict if one.cls is cls) for cls in reversed(WORST_FIRST)]
    urls = {f"https://{n:04}.example/": verdicts[n % len(verdicts)] for n in range(1100)}
    run = catalogued(engine, document("r.md", [link(url, url) for url in urls]))
    keys = ids(engine)
    write(engine, run, *(finding(keys[url], verdict) for url, verdict in urls.items()))
    shown = [(WORST_FIRST.index(entry.verdict.cls), entry.url) for entry in queries.entries(engine)]

    assert shown == sorted(shown)
    assert len(set(shown)) == len(urls)
    assert {rank for rank, _ in shown} == set(range(len(WORST_FIRST)))


def test_entry_has_all_that_is_known(engine: sa.Engine) -> None:
    """Finding, redirects, picture, links in the order of the text, declared sizes and issues."""
    image = replace(link(A, "images[0].url", Kind.IMAGE, 9), declared=Declared(4, "auto", cached=False))
    run = catalogued(
        engine, document("r.md", [image, link(A, "webUrl", line=2)]), document("q.md", [link(A)])
    )
    picture = Picture(Size(4, 3), Size(3, 4), "JPEG", 6, bytes=99, digest="sha256:ab", cached="ab/cd")
    said = replace(finding(ids(engine)[A], Verdict.MOVED), moved_to=B, final_url=B, detail="why")
    said = replace(said, redirects=(Redirect(A, 301),), picture=picture)
    write(engine, run, said)
    judge_links(
        engine,
        lambda some: {one.id: [LinkIssue(Issue.SIZE_ROTATED, "4x3")] for one in some if one.link.declared},
    )
    (entry,) = queries.entries(engine)

    assert entry.finding == replace(said, url=entry.finding.url if entry.finding else "", hops=())
    assert (entry.kind, entry.state, entry.next_due) == (Kind.IMAGE, State.ALIVE, NOW + 7 * DAY)
    places = [(one.record, one.link.line, [issue.issue for issue in one.issues]) for one in entry.links]
    assert places == [("q.md", 1, []), ("r.md", 2, []), ("r.md", 9, [Issue.SIZE_ROTATED])]
    assert entry.links[2].link == image


def test_find_by_url_and_by_text(engine: sa.Engine) -> None:
    """A target is found by its request URL, or by what a record says; else there is none."""
    catalogued(engine, document("r.md", [link(A), link("https://joe:secret@b.example/", "l[1]")]))

    found = [queries.find(engine, url) for url in (A, "https://***@b.example/", "https://never.example/", "")]
    assert [one and one.url for one in found] == [A, "https://***@b.example/", None, None]


def test_story_of_a_target(engine: sa.Engine) -> None:
    """History is every finding in order, and hops are those of the run asked for."""
    _three(engine)
    _check(engine, 1, a=Verdict.GONE, b=Verdict.OK)
    at, key = NOW + 2 * DAY, ids(engine)[A]
    run = begin_run(engine, "audit", at)
    hops = (Hop(A, "HEAD", 404, None, 0.5, 1, "192.0.2.1"), Hop(A, "GET", None, "reset", 0.25, 2, None))
    write(engine, run, replace(finding(key, Verdict.RESET, at), status=None, detail="read", hops=hops))

    said = [(one.run, one.at, one.verdict, one.status, one.detail) for one in queries.history(engine, key)]
    assert said == [
        (run.id - 1, NOW + DAY, Verdict.GONE, 200, None),
        (run.id, at, Verdict.RESET, None, "read"),
    ]
    assert queries.hops(engine, run.id, key) == list(hops)
    assert queries.hops(engine, run.id - 1, key) == []
    assert queries.history(engine, 999) == []


def test_runs_in_order(engine: sa.Engine) -> None:
    """Runs are told from the oldest on, with their ends, also those that have none."""
    assert queries.runs(engine) == []
    first = begin_run(engine, "audit", NOW)
    end_run(engine, first, RunEnd.DEADLINE, NOW + DAY)
    second = begin_run(engine, "refresh", NOW + 2 * DAY)

    said = [(one.id, one.command, one.started_at, one.finished_at, one.ended) for one in queries.runs(engine)]
    assert said == [
        (first.id, "audit", NOW, NOW + DAY, RunEnd.DEADLINE),
        (second.id, "refresh", NOW + 2 * DAY, None, None),
    ]


def test_digests_of_the_newest_reading(engine: sa.Engine) -> None:
    """A file has the digest of its newest reading, though a record of before may be kept with it."""
    two = document("r.md", [link(A)], [link(B)])
    catalogued(engine, replace(two, stamp=FileStamp(1, 1, "old")), document("unread.md", [link(C)]))
    one = document("r.md", [link(A)], problems=["its second record is broken"])
    catalogued(engine, replace(one, stamp=FileStamp(2, 2, "new")), at=NOW + DAY)

    assert queries.digests(engine, ["r.md", "unread.md", "unknown.md"]) == {"r.md": "new"}
    assert queries.digests(engine, []) == {}


def test_problems_of_records(engine: sa.Engine) -> None:
    """A problem stays until its file is read without it; a run tells of its own alone."""
    first = catalogued(engine, document("b.md", problems=["two", "one"]), document("a.md", problems=["bad"]))
    second = catalogued(engine, document("b.md", [link(A)]), at=NOW + DAY)
    third = catalogued(engine, document("c.md", problems=["new"]), at=NOW + 2 * DAY)
    bad, new = RecordProblem("a.md", 1, "bad"), RecordProblem("c.md", 1, "new")

    assert queries.problems(engine) == [bad, new]
    assert queries.problems(engine, run=first) == [bad]
    assert queries.problems(engine, run=second) == []
    assert queries.problems(engine, run=third) == [new]


def test_totals_count_every_word(engine: sa.Engine) -> None:
    """Counts by class, verdict, kind, state and issue add up; `known` names what --fail-on can."""
    run = catalogued(engine, document("r.md", MIXED), document("s.md", [link(C)]))
    keys = ids(engine)
    write(engine, run, finding(keys[A], Verdict.OK), finding(keys[B], Verdict.NOT_FOUND))
    judge_links(
        engine, lambda some: {one.id: [LinkIssue(Issue.SIZE_SCALED)] * 2 for one in some if one.url == A}
    )
    totals = Totals()
    for entry in queries.entries(engine):
        totals.add(entry)

    assert (totals.targets, totals.links) == (3, 5)
    assert totals.classes == {"alive": 1, "hard": 1, "unchecked": 1}
    assert totals.verdicts == {"ok": 1, "not-found": 1, "not-reached": 1}
    assert totals.kinds == {"image": 1, "amp": 1, "web": 1}
    assert totals.states == {"alive": 1, "suspect": 1, "new": 1}
    assert totals.issues == {"size-scaled": 4}
    expected = {"ok", "alive", "hard", "not-found", "suspect", "not-reached", "unchecked", "new"}
    assert totals.known == expected | {"issues", "size-scaled"}


def test_every_class_has_its_rank() -> None:
    """No class is missing in the order of reports."""
    assert sorted(WORST_FIRST) == sorted(Class)
