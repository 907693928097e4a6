"""The screen that a terminal gets: short, the news first, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
import sqlalchemy as sa

from crawler.report.base import summarise
from crawler.report.selection import Selection
from crawler.report.views.overview import MAX_LINES, news_of, overview
from storage.db.database import open_engine
from storage.ledger import begin_run, end_run
from storage.model import Finding, Issue, Kind, Link, LinkIssue, RunEnd, Verdict
from storage.rollups.link_issues import judge_links
from tests.program import on_screen, run
from tests.storage.build import NOW, catalogued, document, finding, ids, write

LATER: Final = NOW + timedelta(days=2)
HOSTS: Final = 23
RECORDS: Final = 30
VERDICTS: Final = (
    Verdict.NOT_FOUND,
    Verdict.SERVER_ERROR,
    Verdict.SOFT_404,
    Verdict.TIMEOUT,
    Verdict.FORBIDDEN,
    Verdict.MOVED,
    Verdict.POSTPONED,
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    """An open database without a run."""
    opened = open_engine(f"sqlite:///{tmp_path}/linkhealth.db")
    yield opened
    opened.dispose()


def _lines(engine: sa.Engine) -> list[str]:
    summary = summarise(engine, Selection())
    return "".join(overview(summary, news_of(engine, summary.run))).splitlines()


def _url(number: int) -> str:
    return f"https://host{number % HOSTS}.example/{'a-long-name/' * 9}{number}"


def _everything_wrong(engine: sa.Engine) -> None:
    """Two runs, with more of everything than a screen holds."""
    documents = [
        document(
            f"content/{'a-long-folder/' * 5}{number}.md",
            [Link(f"related[{n}].url", n + 2, 9, _url(number * 10 + n), Kind.WEB) for n in range(10)],
            problems=["no end of the front matter"],
        )
        for number in range(RECORDS)
    ]
    first = catalogued(engine, *documents)
    keys = ids(engine)
    write(engine, first, *(finding(key) for key in keys.values()))
    end_run(engine, first, RunEnd.FINISHED, NOW)
    second = begin_run(engine, "audit", LATER)
    write(engine, second, *(_found(number, key) for number, key in enumerate(keys.values())))
    judge_links(engine, lambda some: {one.id: [LinkIssue(Issue.AMP_CACHE_URL, "a", "b")] for one in some})
    end_run(engine, second, RunEnd.FINISHED, LATER)


def _found(number: int, key: int) -> Finding:
    told = replace(finding(key, VERDICTS[number % len(VERDICTS)]), checked_at=LATER)
    if told.verdict is Verdict.POSTPONED:
        return replace(told, detail="put off until tomorrow", retry_at=LATER + timedelta(days=1))
    return replace(told, moved_to="https://new.example/") if told.verdict is Verdict.MOVED else told


def test_a_screen_holds_it_whatever_is_wrong(engine: sa.Engine) -> None:
    """Forty lines, none wider than the screen, with the news before the counts, and commands last."""
    _everything_wrong(engine)
    lines = _lines(engine)

    assert 30 < len(lines) <= MAX_LINES
    assert max(map(len, lines)) <= 120
    text = "\n".join(lines)
    order = (
        "Run 2",
        "more record problems",
        "Since run 1: newly suspect",
        "more changes: linkhealth diff",
        "alive",
    )
    places = [
        text.index(words) for words in (*order, "Worst hosts", "put off until tomorrow", "linkhealth fix")
    ]
    assert places == sorted(places)
    hosts = [line for line in lines if " of " in line and ".example" in line and "put off" not in line]
    assert len(hosts) == 10


def test_nothing_new_is_said_in_a_line(engine: sa.Engine) -> None:
    """A quiet day takes a few lines, and names no command for what is not there."""
    made = catalogued(engine, document("a.md", [Link("webUrl", 2, 9, _url(1), Kind.WEB)]))
    write(engine, made, finding(ids(engine)[_url(1)]))
    end_run(engine, made, RunEnd.FINISHED, NOW)
    end_run(engine, begin_run(engine, "audit", LATER), RunEnd.FINISHED, LATER)
    text = "\n".join(_lines(engine))

    assert "Nothing broke, and nothing came back, since run 1." in text
    assert "--only hard" not in text
    assert "linkhealth fix" not in text
    assert "Worst" not in text


async def test_a_terminal_gets_the_screen_and_all_else_gets_all(tmp_path: Path, engine: sa.Engine) -> None:
    """-v, a pipe, a format, a file or a choice of targets gives every line."""
    _everything_wrong(engine)
    (tmp_path / "config.toml").touch()
    _, screen = await on_screen(tmp_path, "report", columns=80)
    assert len(screen) <= MAX_LINES
    assert max(map(len, screen)) <= 80
    for words in (("-v", "report"), ("report", "--only", "not-found"), ("report", "--format", "table")):
        _, whole = await on_screen(tmp_path, *words)
        assert len(whole) > MAX_LINES, words
    assert (await run(tmp_path, "report")).out.count("\n") > MAX_LINES
