"""The findings by record, verdict and kind, since a run or a day; and how bad each is."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa

from crawler.report.base import summarise
from crawler.report.selection import Selection
from crawler.report.severity import Severity, entry_severity, severity
from crawler.report.views import VIEWS
from storage.model import Issue, Kind, Link, LinkIssue, Pin, PinWord, State, Verdict
from storage.queries.report import Entry, EntryLink
from tests.crawler.report.build import GONE, SLOW
from tests.program import records, run
from tests.site import answer, page, serve
from tests.storage.build import DAY, NOW, catalogued, document, finding, ids, link, write

BY_RECORD: Final = """\
seeds/b c.md  high
    seeds/b c.md:1  no <end>
  the record itself: lost web
    seeds/b c.md:2:9  medium  not-found (404), suspect
      https://a.example/gone
seeds/a.md  medium
  related[0]: lost web, AMP; left images
    seeds/a.md:5:10  medium  not-found (404), suspect
      https://a.example/gone
    seeds/a.md:6:16  low  timeout, suspect: read: 1 | 2
      https://b.example/amp
    seeds/a.md:8:14  medium  size-mismatch: declared 100x100, is 980x700
      https://i.example/p.png
"""


def _seen(engine: sa.Engine, by: str, format_: str, **selected: Any) -> str:
    return "".join(VIEWS[by][format_](summarise(engine, Selection(**selected))))


def test_records_say(engine: sa.Engine) -> None:
    """A record is a block: each item says what is lost and what is left, each link where it stands."""
    assert _seen(engine, "record", "table") == BY_RECORD


def test_record_lines_have_every_key(engine: sa.Engine) -> None:
    """The JSON forms of the view by record hold what its table holds."""
    lines = [json.loads(one) for one in _seen(engine, "record", "jsonl").splitlines()]

    assert json.loads(_seen(engine, "record", "json")) == lines
    assert lines[0]["problems"] == [{"line": 1, "reason": "no <end>"}]
    assert (lines[1]["record"], lines[1]["number"], lines[1]["severity"]) == ("seeds/a.md", 0, "medium")
    (item,) = lines[1]["items"]
    assert item["lost"] == {"web": 1, "amp": 1, "amp-cdn": 0, "image": 0}
    assert item["of"] == {"web": 1, "amp": 1, "amp-cdn": 0, "image": 1}
    assert item["links"][2] == {
        "url": "https://i.example/p.png",
        "kind": "image",
        "field": "related[0].images[0].url",
        "line": 8,
        "column": 14,
        "severity": "medium",
        "verdict": "ok",
        "state": "alive",
        "failing_since": None,
        "lost": False,
        "issues": ["size-mismatch"],
    }


def test_what_is_left_is_counted_whatever_is_asked_for(engine: sa.Engine) -> None:
    """`--only` chooses the links that are shown; an item still says all that it lost."""
    text = _seen(engine, "record", "table", only=(frozenset({"transient"}),))

    assert "related[0]: lost web, AMP; left images" in text
    assert SLOW in text
    assert f"\n      {GONE}" not in text.partition("related[0]")[2]


def test_records_of_one_file_are_told_apart(empty: sa.Engine) -> None:
    """Two records of one file have a block each, though their items have the same name."""
    bad = "ftp://a.example/"
    made = catalogued(empty, document("a.jsonl", [link(bad)], [link("http://ok.example/"), link(bad, "url")]))
    lines = [json.loads(one) for one in _seen(empty, "record", "jsonl", run=None).splitlines()]

    assert lines == []
    write(empty, made, replace(finding(ids(empty)[bad], Verdict.UNSUPPORTED_SCHEME), status=None))
    text = _seen(empty, "record", "table")
    assert "a.jsonl  medium\n  the record itself: lost web\n" in text
    assert "a.jsonl (record 2)  medium\n  the record itself: lost 1 of 2 web; left web\n" in text


def test_hostile_texts_stay_in_their_line(empty: sa.Engine) -> None:
    """Control characters, line breaks and markup of a record do nothing in the view by record."""
    text, path = "http://x.example/\x1b[2J\nINJECTED[red]", "a\nINJECTED\x1b.md"
    place = Link("related[0].\u202e.url", 1, 1, text, Kind.WEB, "related[0].\u202e")
    made = catalogued(empty, document(path, [place], problems=["\rINJECTED"]))
    write(empty, made, replace(finding(ids(empty)[text], Verdict.GONE), detail="\nINJECTED"))
    said = _seen(empty, "record", "table")

    assert not {"\x1b", "\r", "\u202e"} & set(said)
    assert not any(line.strip().startswith("INJECTED") for line in said.splitlines())
    assert r"http://x.example/\u001b[2J\u000aINJECTED[red]" in said


def test_groups_say(engine: sa.Engine) -> None:
    """A verdict and a kind is a row each, with its targets, links and records."""
    verdicts = [json.loads(one) for one in _seen(engine, "verdict", "jsonl").splitlines()]
    kinds = json.loads(_seen(engine, "kind", "json"))

    assert [(one["verdict"], one["targets"], one["links"], one["records"]) for one in verdicts] == [
        ("not-found", 1, 2, 2),
        ("timeout", 1, 1, 1),
        ("moved", 1, 1, 1),
        ("ok", 1, 1, 1),
    ]
    assert [one["failing_since"] for one in verdicts] == ["2026-11-23T04:00:00Z"] * 2 + [None] * 2
    assert [(one["kind"], one["verdicts"]) for one in kinds] == [
        ("web", {"moved": 1, "not-found": 1}),
        ("amp", {"timeout": 1}),
        ("image", {"ok": 1}),
    ]
    assert verdicts[0]["severities"] == {"critical": 0, "high": 0, "medium": 1, "low": 0, "none": 0}
    table = _seen(engine, "verdict", "table").splitlines()
    assert table[0].split()[:4] == ["verdict", "targets", "links", "records"]
    assert table[1].split() == ["not-found", "1", "2", "2", "1", "2026-11-23"]


def test_views_of_nothing(empty: sa.Engine) -> None:
    """Before the first run every view is there, and empty."""
    for by, formats in VIEWS.items():
        assert _seen(empty, by, "jsonl") == ""
        assert json.loads(_seen(empty, by, "json")) == []
        assert "table" in formats
    assert _seen(empty, "record", "table") == "No record has anything wrong.\n"


def _entry(verdict: Verdict, state: State = State.SUSPECT, kind: Kind = Kind.WEB, days: int = 0) -> Entry:
    since = NOW - days * DAY
    return Entry(1, "http://a.example/", kind, verdict, state, None, since, finding(1, verdict))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (_entry(Verdict.OK, State.ALIVE), Severity.NONE),
        (_entry(Verdict.FORBIDDEN), Severity.NONE),
        (_entry(Verdict.TIMEOUT), Severity.LOW),
        (_entry(Verdict.TIMEOUT, kind=Kind.AMP), Severity.LOW),
        (_entry(Verdict.TIMEOUT, State.DEAD, days=30), Severity.HIGH),
        (_entry(Verdict.GONE), Severity.MEDIUM),
        (_entry(Verdict.GONE, kind=Kind.AMP_CDN), Severity.LOW),
        (_entry(Verdict.GONE, State.DEAD), Severity.HIGH),
        (_entry(Verdict.GONE, State.DEAD, days=29), Severity.HIGH),
        (_entry(Verdict.GONE, State.DEAD, days=30), Severity.CRITICAL),
        (_entry(Verdict.SOFT_404, State.DEAD, Kind.AMP, 30), Severity.HIGH),
        (_entry(Verdict.INVALID_URL, State.NEW), Severity.MEDIUM),
        (_entry(Verdict.NOT_REACHED), Severity.NONE),
    ],
)
def test_severity(entry: Entry, expected: Severity) -> None:
    """Class, state, kind and age give points, as docs/reports.md has it."""
    assert severity(entry) is expected


def test_severity_of_what_was_pinned_and_of_issues() -> None:
    """A person's word goes before the rule; a link is as bad as the worst of its issues."""
    dead, alive = _entry(Verdict.GONE, State.DEAD), _entry(Verdict.OK, State.ALIVE)
    pins = {word: Pin(dead.url, word, "", "", NOW) for word in PinWord}
    issue = EntryLink("a.md", Link("url", 1, 1, "x", Kind.IMAGE), (LinkIssue(Issue.SIZE_SCALED),))

    assert severity(replace(dead, pin=pins[PinWord.ALIVE])) is Severity.NONE
    assert severity(replace(dead, pin=pins[PinWord.IGNORE])) is Severity.NONE
    assert severity(replace(alive, pin=pins[PinWord.DEAD], state=State.DEAD)) is Severity.HIGH
    assert entry_severity(replace(alive, links=(issue,))) is Severity.LOW
    assert entry_severity(replace(dead, links=(issue,))) is Severity.HIGH


def test_since(engine: sa.Engine) -> None:
    """What was found before a moment is left out, at the moment itself it is in."""
    assert _seen(engine, "verdict", "jsonl", since=NOW).count("\n") == 4
    assert _seen(engine, "verdict", "jsonl", since=NOW + timedelta(seconds=1)) == ""


async def test_since_a_run(tmp_path: Path) -> None:
    """`--since RUN` tells what later runs found; `--only` takes kinds; bad values are told."""
    async with serve() as site:
        site.fallback = page()
        site.add("http://bad.example/a", answer(404), answer(404))
        records(tmp_path, "http://bad.example/a", "http://good.example/")
        await run(tmp_path, "audit", "--connect-to", site.detour)
        records(tmp_path, "http://bad.example/a", "http://good.example/", "http://new.example/")
        await run(tmp_path, "audit", "--connect-to", site.detour)

    async def urls(*words: str) -> set[str]:
        done = await run(tmp_path, "report", "--format", "jsonl", *words)
        return set(done.lines())

    assert await urls("--since", "1") == {"http://new.example/"}
    assert len(await urls("--since", "0")) == 3
    assert await urls("--since", "2") == set()
    assert len(await urls("--since", "2020-01-01")) == 3
    assert await urls("--since", "2999-01-01T00:00:00+02:00") == set()
    assert await urls("--only", "image") == set()
    assert len(await urls("--only", "web")) == 3
    for words, why in (
        (("--since", "3"), "no run 3; there are 1 to 2"),
        (("--since", "9" * 5000), "no run 9"),
        (("--since", "soon"), "'soon' is no run and no date"),
        (("--only", "images"), "images: no class, verdict, issue, state or kind"),
        (("--by", "record", "--format", "csv"), "--by record comes as table, json, jsonl, not as csv"),
    ):
        refused = await run(tmp_path, "report", *words)
        assert (refused.code, refused.out) == (2, "")
        assert why in refused.err
