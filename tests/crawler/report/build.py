"""One small database of which every row of every report can be checked by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from crawler.report.base import REPORTS, summarise
from crawler.report.selection import Selection
from storage.ledger import end_run
from storage.model import (
    Declared,
    Document,
    Issue,
    Kind,
    Link,
    LinkIssue,
    Picture,
    Run,
    RunEnd,
    Size,
    Verdict,
)
from storage.rollups.link_issues import judge_links
from tests.storage.build import NOW, catalogued, document, finding, ids, write

GONE: Final = "https://a.example/gone"
IMAGE: Final = "https://i.example/p.png"
OLD: Final = "http://a.example/old"
SLOW: Final = "https://b.example/amp"


def small(engine: sa.Engine) -> Run:
    """Two records: a dead page, a wrong size, a page that moved, an AMP page that times out."""
    run = catalogued(engine, *_documents())
    keys = ids(engine)
    picture = Picture(Size(980, 700), Size(980, 700), "PNG", bytes=9)
    write(
        engine,
        run,
        replace(finding(keys[GONE], Verdict.NOT_FOUND), status=404),
        replace(finding(keys[IMAGE]), picture=picture),
        replace(finding(keys[OLD], Verdict.MOVED), moved_to="https://a.example/new"),
        replace(finding(keys[SLOW], Verdict.TIMEOUT), status=None, detail="read: 1 | 2"),
    )
    judge_links(engine, lambda some: {one.id: [_ISSUE] for one in some if one.link.kind is Kind.IMAGE})
    end_run(engine, run, RunEnd.FINISHED, NOW + timedelta(seconds=90))
    return replace(run, finished_at=NOW + timedelta(seconds=90), ended=RunEnd.FINISHED)


_ISSUE: Final = LinkIssue(Issue.SIZE_MISMATCH, "100x100", "980x700")


def _documents() -> tuple[Document, ...]:
    declared = Declared(100, 100, cached=None)
    first = document(
        "seeds/a.md",
        [
            Link("webUrl", 2, 9, OLD, Kind.WEB),
            Link("related[0].url", 5, 10, GONE, Kind.WEB, "related[0]"),
            Link("related[0].ampWebUrl", 6, 16, SLOW, Kind.AMP, "related[0]"),
            Link("related[0].images[0].url", 8, 14, IMAGE, Kind.IMAGE, "related[0]", declared),
        ],
    )
    second = document("seeds/b c.md", [Link("webUrl", 2, 9, GONE, Kind.WEB)], problems=["no <end>"])
    return first, second


def told(engine: sa.Engine, format_: str, only: str = "") -> str:
    """The report on all of it, or on what these words name."""
    selection = Selection(only=(frozenset(only.split()),) if only else ())
    return "".join(REPORTS[format_](summarise(engine, selection)))
