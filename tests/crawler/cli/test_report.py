"""Reports: what records and servers say is shown and never obeyed, and every key is there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from crawler.report.base import REPORTS, summarise
from crawler.report.escape import printable
from crawler.report.selection import Selection
from crawler.report.views.explain import explain
from crawler.report.views.explain import find as find_story
from storage import pins
from storage.db.database import open_engine
from storage.ledger import end_run
from storage.model import (
    Declared,
    Hop,
    Issue,
    Kind,
    Link,
    LinkIssue,
    Picture,
    Pin,
    PinWord,
    Redirect,
    Run,
    RunEnd,
    Size,
    Verdict,
)
from storage.queries import report as queries
from storage.rollups.link_issues import judge_links
from tests.program import ROOT, records, run
from tests.site import serve
from tests.storage.build import NOW, catalogued, document, finding, ids, write

pytestmark = pytest.mark.libraries

HOSTILE: Final = {
    "escape": "\x1b[31mred\x1b[0m\x1b]8;;http://evil.example/\x07link\x1b]8;;\x07\x1b[2J",
    "c1": "\x9b31m\x9d0;title\x9c",
    "backspace": "evil\b\b\b\bgood\x7f",
    "turned": "\u202egnp.exe\u2066\u200f\u061c",
    "hidden": "a\u200bb\ufeffc\u00add\U000e0041",
    "lines": "a\nINJECTED\r\nINJECTED\x85INJECTED\u2028INJECTED\u2029INJECTED\x0bINJECTED\x0cINJECTED",
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "attribute": "\"><a href='javascript:alert(1)' onclick=\"x\">'",
    "comment": "--><!-- ]]> </style></title></main>",
    "entity": "&lt;b&gt; &amp; &#60;",
    "javascript": "javascript:alert(document.domain)",
    "data": "data:text/html,<script>alert(1)</script>",
    "markup": "[red]x[/red] [link=http://evil.example]y[/link] [/] :boom: [bold",
    "percent": "%s %(name)s {0} {name} $x `id`",
    "formula": "=1+1",
    "private": "\ue000\U0010ffff",
    "long": "x" * 10_000,
}
FINE: Final = frozenset("\n\u200c\u200d")  # lines, and what joins letters of Persian and emoji
TARGET_KEYS: Final = [
    "url",
    "asked",
    "not_asked",
    "verdict",
    "class",
    "state",
    "status",
    "final_url",
    "moved_to",
    "redirects",
    "attempts",
    "requests",
    "elapsed",
    "bytes",
    "checked_at",
    "detail",
    "next_due",
    "failing_since",
    "image",
    "links",
]
IMAGE_KEYS: Final = ["width", "height", "orientation", "format", "bytes", "digest", "cached"]
LINK_KEYS: Final = ["record", "field", "line", "column", "text", "kind", "declared", "issues"]
RUN_COUNTS: Final = ["classes", "verdicts", "kinds", "states", "issues", "not_asked"]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    """An open database without a run."""
    opened = open_engine(f"sqlite:///{tmp_path}/linkhealth.db")
    yield opened
    opened.dispose()


@pytest.fixture
def hostile(engine: sa.Engine) -> sa.Engine:
    """A database in which every text is hostile, and means to be another one each."""
    made = catalogued(engine, *(_document(name, text) for name, text in HOSTILE.items()))
    for key, text in zip(ids(engine).values(), HOSTILE.values(), strict=True):
        said = finding(key, Verdict.WRONG_TYPE)
        hop = Hop(text, "GET", 200, None, 0.1, 1, "192.0.2.1")
        picture = Picture(Size(4, 3), Size(3, 4), "PNG", 6, bytes=9, digest=text, cached=text)
        said = replace(said, detail=text, final_url=text, moved_to=text, hops=(hop,), picture=picture)
        write(engine, made, replace(said, redirects=(Redirect(text, 301),)))
    judge_links(engine, lambda some: {one.id: [_issue(one.link.text)] for one in some})
    for name, text in HOSTILE.items():
        pins.put(engine, Pin(_url(name, text), PinWord.DEAD, text, text, NOW))
    end_run(engine, made, RunEnd.FINISHED, NOW)
    return engine


def _url(name: str, text: str) -> str:
    return text if name in {"javascript", "data"} else f"http://{name}.example/{text}"


def _document(name: str, text: str) -> Any:
    declared = Declared(text, text, cached=True)
    one = Link(f"images[0].{text}", 1, 1, _url(name, text), Kind.IMAGE, declared=declared)
    return document(f"{name}/{text}.md", [one], problems=[text])


def _issue(text: str) -> LinkIssue:
    return LinkIssue(Issue.AMP_CACHE_URL, text, text)


def _report(engine: sa.Engine, format_: str, only_run: Run | None = None) -> str:
    return "".join(REPORTS[format_](summarise(engine, Selection(run=only_run))))


def _story(engine: sa.Engine) -> str:
    stories = [find_story(engine, _url(name, text)) for name, text in HOSTILE.items()]
    return "".join(line for story in stories if story for line in explain(story))


def _dangerous(text: str) -> set[str]:
    """Letters that a terminal obeys, or that hide or turn round others."""
    found = {
        letter for letter in text if unicodedata.category(letter) in {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
    }
    return found - FINE


class _Page(HTMLParser):
    """Gathers what a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.comments: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def _page(text: str) -> _Page:
    page = _Page()
    page.feed(text)
    page.close()
    return page


def test_page_is_its_own_tags_alone(hostile: sa.Engine) -> None:
    """Nothing that a record or a server says becomes a tag, an attribute, a comment or a link to run."""
    page = _page(_report(hostile, "html"))
    said = "".join(page.texts)

    assert page.comments == []
    assert {tag for tag, _ in page.tags} & {"script", "img", "a", "iframe", "object", "b"} <= {"a"}
    for tag, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes), (tag, attributes)
        for name in ("href", "src", "action"):
            assert re.match(r"https?://|#|$", attributes.get(name) or ""), (tag, attributes)
    for name in ("script", "attribute", "comment", "entity", "javascript", "data", "markup"):
        assert HOSTILE[name] in said
    policy = [dict(attributes).get("content") for tag, attributes in page.tags if tag == "meta"]
    assert any("default-src 'none'" in (value or "") for value in policy)


@pytest.mark.parametrize("format_", [name for name in REPORTS if name not in {"json", "jsonl", "prometheus"}])
def test_no_letter_is_obeyed(hostile: sa.Engine, format_: str) -> None:
    """No report for people holds a letter that a terminal obeys, hides or turns round."""
    text = _report(hostile, format_)

    assert _dangerous(text) == set()
    assert "\\u001b[31mred" in text
    assert "\\u202egnp.exe" in text


def test_no_line_is_injected(hostile: sa.Engine) -> None:
    """What holds line breaks stays in its line, in the table and in the story of a target."""
    for text in (_report(hostile, "table"), _story(hostile)):
        assert _dangerous(text) == set()
        assert not any(line.startswith("INJECTED") for line in text.splitlines())
        assert text.count("INJECTED") >= 7


def test_table_takes_markup_literally(hostile: sa.Engine) -> None:
    """Square brackets, emoji names and braces are letters like others."""
    for text in (_report(hostile, "table"), _story(hostile)):
        assert HOSTILE["markup"] in text
        assert HOSTILE["percent"] in text


@pytest.mark.parametrize("format_", ["table", "html", "markdown"])
def test_endless_texts_are_cut(hostile: sa.Engine, format_: str) -> None:
    """A text of ten thousand letters takes no ten thousand in a report for people, and says so."""
    text = re.sub('href="[^"]*"', "", _report(hostile, format_))  # where a link leads is not shown

    assert "x" * 2_100 not in text
    assert re.search("100[0-9]{2} characters", text)


def _lines(engine: sa.Engine) -> list[dict[str, Any]]:
    return [json.loads(line) for line in _report(engine, "jsonl").splitlines()]


def test_json_has_every_key(hostile: sa.Engine) -> None:
    """JSON is one object, JSON lines are its targets, and keys stand where the contract has them."""
    whole = json.loads(_report(hostile, "json"))

    assert list(whole)[:1] == ["run"]
    assert {"run", "record_problems", "targets"} <= set(whole)
    assert whole["targets"] == _lines(hostile)
    assert set(RUN_COUNTS) <= set(whole["run"])
    for target in whole["targets"]:
        assert list(target) == TARGET_KEYS
        assert list(target["image"]) == IMAGE_KEYS
        assert [list(link) for link in target["links"]] == [LINK_KEYS]
        assert list(target["links"][0]["declared"]) == ["width", "height", "cached"]
        assert list(target["links"][0]["issues"][0]) == ["issue", "expected", "actual"]
        assert list(target["redirects"][0]) == ["url", "status"]
    assert all(list(problem) == ["path", "line", "reason"] for problem in whole["record_problems"])


def test_json_keeps_every_letter(hostile: sa.Engine) -> None:
    """JSON is for programs: texts come out whole and as they went in; no line ends too soon."""
    text = _report(hostile, "jsonl")
    details = {line["url"]: line["links"][0]["text"] for line in _lines(hostile)}
    whole = json.loads(_report(hostile, "json"))

    assert details == {_url(name, text): _url(name, text) for name, text in HOSTILE.items()}
    assert {one["reason"] for one in whole["record_problems"]} == set(HOSTILE.values())
    assert len(text.splitlines()) == text.count("\n") == len(HOSTILE)
    assert not {"\x1b", "\x9b", "\u202e", "\u2028"} & set(text)


@pytest.mark.parametrize("format_", REPORTS)
def test_same_database_gives_the_same_bytes(hostile: sa.Engine, tmp_path: Path, format_: str) -> None:
    """A report depends on nothing but the database: neither on the time nor on the order of hashes."""
    first = _report(hostile, format_)
    hostile.dispose()
    again = open_engine(f"sqlite:///{tmp_path}/linkhealth.db")

    assert _report(again, format_) == first
    assert _report(again, format_) == first
    again.dispose()


@pytest.mark.parametrize("format_", REPORTS)
def test_empty_database(engine: sa.Engine, format_: str) -> None:
    """Where nothing was ever read or run, every format says so in its own form."""
    text = _report(engine, format_)

    if format_ == "table":
        assert text == "No run yet: 'linkhealth audit' makes one.\n"
    elif format_ == "json":
        whole = json.loads(text)
        assert (whole["targets"], whole["record_problems"]) == ([], [])
        assert (whole["run"]["id"], whole["run"]["targets"]) == (None, 0)
        assert set(RUN_COUNTS) <= set(whole["run"])
    elif format_ == "jsonl":
        assert text == ""
    elif format_ == "csv":
        assert text.splitlines()[1:] == []
    elif format_ in {"sarif", "junit"}:
        assert "<testcase" not in text
        assert "ruleIndex" not in text
    elif format_ == "markdown":
        assert text == "## Link health\n\nNo run yet.\n"
    elif format_ == "prometheus":
        assert {line.split()[-1] for line in text.splitlines() if line[0] != "#"} == {"0"}
    elif format_ == "html":
        assert "0 targets, 0 links" in "".join(_page(text).texts)


@pytest.mark.parametrize("format_", REPORTS)
def test_run_that_found_nothing(engine: sa.Engine, format_: str) -> None:
    """A run over no records has a report, too: of that run alone, and of all."""
    end_run(engine, catalogued(engine), RunEnd.FINISHED, NOW)
    (made,) = queries.runs(engine)

    assert _report(engine, format_, made) == _report(engine, format_)


def test_target_that_was_never_asked_has_every_key(engine: sa.Engine) -> None:
    """Keys never vanish: null stands where there is nothing."""
    catalogued(engine, document("a.md", [Link("webUrl", 3, 4, "http://a.example/", Kind.WEB)]))
    (line,) = _lines(engine)

    assert list(line) == TARGET_KEYS
    nothing = {key for key in TARGET_KEYS if line[key] is None}
    assert nothing == {
        "status",
        "final_url",
        "moved_to",
        "checked_at",
        "detail",
        "next_due",
        "failing_since",
        "image",
    }
    assert list(line["links"][0]) == LINK_KEYS
    assert line["links"][0]["declared"] is None


@given(st.text(max_size=300))
def test_shown_text_is_harmless(text: str) -> None:
    """Any text is shown without a letter that is obeyed; one that is harmless is shown as it is."""
    said = printable(text)

    assert _dangerous(said) == set()
    assert "\n" not in said
    assert printable(said) == said
    if not _dangerous(text) and "\n" not in text:
        assert said == text


async def test_unknown_run(tmp_path: Path) -> None:
    """A run that never was ends with 2 and says which there are; without a run, that there is none."""
    records(tmp_path)
    none = await run(tmp_path, "report", "--run", "1")
    await run(tmp_path, "audit")
    for number in ("7", "-1", "9" * 30):
        done = await run(tmp_path, "report", "--run", number)
        assert (done.code, done.out) == (2, "")
        assert f"no run {number}; there are 1 to 1" in done.err
    assert (none.code, "no run 1; there is none yet" in none.err) == (2, True)


async def test_report_before_the_first_run(tmp_path: Path) -> None:
    """Where nothing ever ran, a report is fine, and says how to make a run."""
    done = await run(tmp_path, "report")

    assert (done.code, done.out) == (0, "No run yet: 'linkhealth audit' makes one.\n")
    assert "Traceback" not in done.err


async def test_prometheus_recipe_updates_whatever_is_wrong(tmp_path: Path) -> None:
    """The command of the docs replaces the collector's file though a link is dead and a record is broken."""
    docs = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"`(linkhealth report --format prometheus [^`]+)`", docs)
    (tmp_path / "node_exporter").mkdir()
    (tmp_path / "linkhealth.prom").write_text("old")
    async with serve() as site:
        records(tmp_path, "http://bad.example/a")
        (tmp_path / "seeds" / "broken.md").write_text("---\na: [\n---\n")
        audited = await run(tmp_path, "audit", "--connect-to", site.detour, "--format", "jsonl")
    command = recipe.replace("linkhealth report", f"{sys.executable} -m crawler report")
    command = command.replace("/var/lib/node_exporter/", "node_exporter/")
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, shell=True, cwd=tmp_path, env=environ, check=False)  # noqa: ASYNC221

    assert (audited.code, done.returncode) == (1, 0)
    assert "seeds/broken.md" in audited.err
    assert 'verdict="not-found"} 1' in (tmp_path / "node_exporter" / "linkhealth.prom").read_text()
