"""The severity that pages sort by is the one that reports tell, for every case there is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import sqlalchemy as sa

from crawler.report.severity import entry_severity, link_severity, severity
from storage import pins
from storage.db import schema
from storage.db.transactions import writing
from storage.ledger.writer import LedgerWriter
from storage.model import Finding, Issue, Kind, LinkIssue, Pin, PinWord, Standing, State, Verdict
from storage.queries import report as queries
from storage.rollups.link_issues import judge_links
from storage.upkeep.rejudge import rejudge
from tests.storage.build import DAY, NOW, advance, catalogued, document, finding, ids, link, rows, write

A, B = "https://a.example/", "https://b.example/"
AGES = (None, 0, 29, 30, 31)  # days
KINDS = ((Kind.WEB,), (Kind.AMP,), (Kind.AMP, Kind.AMP_CDN), (Kind.WEB, Kind.AMP), (Kind.IMAGE,))


def _cases() -> list[tuple[Verdict, State, int | None, PinWord | None, tuple[Kind, ...]]]:
    verdicts = (Verdict.OK, Verdict.GONE, Verdict.TIMEOUT, Verdict.PARKED, Verdict.FORBIDDEN)
    every = [(one, State.SUSPECT, 0, None, (Kind.WEB,)) for one in Verdict]
    pins_ = (None, *PinWord)
    return [*every, *product((*verdicts, Verdict.INVALID_URL), State, AGES, pins_, KINDS)]


def _filled(engine: sa.Engine) -> None:
    """A record for each case, with its target, its finding and its pin."""
    cases = _cases()
    urls = [f"https://a.example/{number:05}" for number in range(len(cases))]
    documents = [
        document(f"{url[-5:]}.md", [link(url, f"l[{n}]", kind) for n, kind in enumerate(case[4])])
        for url, case in zip(urls, cases, strict=True)
    ]
    run = catalogued(engine, *documents)
    keys = ids(engine)
    states = {keys[url]: case for url, case in zip(urls, cases, strict=True)}

    def stand(_: Standing, one: Finding) -> Standing:
        state, age = states[one.target][1:3]
        since = None if age is None else NOW - age * DAY
        return Standing(state, NOW, since, checked_at=NOW, next_due=NOW)

    LedgerWriter(engine, run, stand).write([finding(key, case[0]) for key, case in states.items()])
    said = [(url, case[3]) for url, case in zip(urls, cases, strict=True) if case[3] is not None]
    with writing(engine) as connection:
        made = [{"url": url, "word": word, "why": "w", "author": "a", "at": NOW} for url, word in said]
        connection.execute(sa.insert(schema.pin), made)


def _stored(engine: sa.Engine, table: str, name: str) -> dict[Any, Any]:
    return dict(rows(engine, f"SELECT {name}, severity FROM {table}"))  # type: ignore[arg-type]


def test_every_case_has_the_severity_of_reports(engine: sa.Engine) -> None:
    """Of targets and of records, over verdicts, states, ages, pins and kinds."""
    _filled(engine)
    judge_links(engine, lambda _: {})
    told = list(queries.entries(engine))
    assert len(told) == len(_cases())
    targets, records = _stored(engine, "target", "url"), _stored(engine, "record", "path")
    assert targets == {one.url: int(entry_severity(one)) for one in told}
    assert records == {one.links[0].record: int(entry_severity(one)) for one in told}
    assert set(targets.values()) == {0, 1, 2, 3, 4}


def _judged(placed: Sequence[Any]) -> dict[int, list[LinkIssue]]:
    issues = (Issue.SIZE_SCALED, Issue.AMP_UNPAIRED)
    return {one.id: [LinkIssue(issue) for issue in issues] for one in placed if one.link.text == B}


def test_issues_count_for_records_and_not_for_targets(engine: sa.Engine) -> None:
    """A record is as bad as its worst link, by its target or by its own issues, and knows how many."""
    run = catalogued(engine, document("r.md", [link(A, "l[0]"), link(B, "l[1]"), link(A, "l[2]")]))
    write(engine, run, *(finding(key) for key in ids(engine).values()))
    judge_links(engine, _judged)
    [faulty] = [one for one in queries.entries(engine) if one.url == B]
    assert int(link_severity(faulty, faulty.links[0])) == 2
    assert severity(faulty) == 0
    assert _stored(engine, "target", "url") == {A: 0, B: 0}
    assert rows(engine, "SELECT path, severity, faults FROM record") == [("r.md", 2, 1)]


def test_pin_counts_at_once(engine: sa.Engine) -> None:
    """A person's word, and its end, change the target and the records that name it, without a run."""
    run = catalogued(engine, document("r.md", [link(A), link(B, "l[1]")]), document("s.md", [link(B)]))
    write(engine, run, *(finding(key, Verdict.GONE) for key in ids(engine).values()))
    judge_links(engine, _judged)
    before = (
        _stored(engine, "target", "url"),
        rows(engine, "SELECT severity, faults FROM record ORDER BY path"),
    )
    pins.put(engine, Pin(B, PinWord.IGNORE, "why", "ann", NOW))
    assert _stored(engine, "target", "url") == {A: 2, B: 0}
    assert rows(engine, "SELECT severity, faults FROM record ORDER BY path") == [(2, 1), (0, 0)]
    pins.put(engine, Pin(B, PinWord.DEAD, "why", "ann", NOW))
    assert _stored(engine, "target", "url") == {A: 2, B: 3}
    pins.remove(engine, B)
    after = (
        _stored(engine, "target", "url"),
        rows(engine, "SELECT severity, faults FROM record ORDER BY path"),
    )
    assert after == before


def test_record_without_links_has_nothing_wrong(engine: sa.Engine) -> None:
    """Once its last bad link is gone, a record is no longer shown."""
    run = catalogued(engine, document("r.md", [link(A)]))
    write(engine, run, finding(ids(engine)[A], Verdict.GONE))
    judge_links(engine, lambda _: {})
    assert _stored(engine, "record", "path") == {"r.md": 2}
    catalogued(engine, document("r.md", []))
    judge_links(engine, lambda _: {})
    assert rows(engine, "SELECT severity, faults FROM record") == [(0, 0)]
    assert _stored(engine, "target", "url") == {A: 0}


def test_another_policy_changes_what_is_bad(engine: sa.Engine) -> None:
    """What is judged again as dead is worse than before, in its records, too."""
    run = catalogued(engine, document("r.md", [link(A)]))
    write(engine, run, finding(ids(engine)[A], Verdict.GONE))
    judge_links(engine, lambda _: {})
    rejudge(engine, lambda old, one: replace_state(advance(old, one)), write=True)
    assert _stored(engine, "target", "url") == {A: 3}
    assert _stored(engine, "record", "path") == {"r.md": 3}


def replace_state(standing: Standing) -> Standing:
    """The same, dead at once."""
    return standing._replace(state=State.DEAD)


def test_failing_targets_are_found_by_their_index(file_engine: sa.Engine) -> None:
    """The worst page needs no row of a target that is fine, and none of another to be sorted."""
    plan = "EXPLAIN QUERY PLAN SELECT id FROM target WHERE severity > 0 AND kind = 'web' "
    said = str(rows(file_engine, f"{plan} ORDER BY severity DESC, failing_since, id LIMIT 50"))
    assert "COVERING INDEX ix_target_failing" in said
