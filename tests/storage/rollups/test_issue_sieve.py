"""Links that are left out of judging: none that has an issue, and nearly all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Final

import pytest
import sqlalchemy as sa

from crawler.checks.link_issues import LinkRules, link_issues
from storage.db import schema
from storage.db.transactions import writing
from storage.model import (
    Declared,
    Document,
    Evidence,
    Finding,
    FragmentEvidence,
    Kind,
    Link,
    LinkIssue,
    Picture,
    Size,
    Verdict,
)
from storage.rollups.issue_sieve import may_have_issue
from storage.rollups.link_issues import JudgedLink, judge_links
from tests.storage.build import NOW, catalogued, document, finding, ids, link, rows, write

DECLARED: Final = (
    None,
    Declared(),
    Declared(160, 90, cached=True),
    Declared(160, 90, cached=False),
    Declared(160, None),
    Declared(90, 160),
    Declared(161, 90),
    Declared(320, 180),
    Declared("wide", 90),
    Declared(160, "90"),
)
PICTURES: Final = (
    None,
    Picture(None, None, "PNG", 1),
    Picture(Size(160, 90), Size(160, 90), "PNG", 1),
    Picture(Size(90, 160), Size(160, 90), "JPEG", 6),
)
EVIDENCE: Final = (
    Evidence(),
    Evidence(https="https://s.example/"),
    Evidence(fragments=FragmentEvidence(["part"], {"part": "gone"})),
)
VERDICTS: Final = (Verdict.OK, Verdict.PLACEHOLDER, Verdict.NOT_FOUND)
CDN: Final = "https://a-example.cdn.ampproject.org/c/s/a.example/x.html"


def _images() -> dict[Link, Finding]:
    """A link to an image in every state that matters, each to a target of its own."""
    cases = enumerate(product(DECLARED, PICTURES, VERDICTS))
    return {
        replace(link(f"https://i.example/{number}", kind=Kind.IMAGE), declared=declared): replace(
            finding(0, verdict), picture=picture
        )
        for number, (declared, picture, verdict) in cases
    }


def _pages() -> dict[Link, Finding]:
    cases = enumerate(product(EVIDENCE, VERDICTS))
    return {
        link(f"http://s.example/{number}#part"): replace(finding(0, verdict), evidence=evidence)
        for number, (evidence, verdict) in cases
    }


def _amp() -> list[Link]:
    """An item whose AMP-CDN URL is another page's."""
    return [
        replace(link("https://a.example/page.html", "ampWebUrl", Kind.AMP), item="one"),
        replace(link(CDN, "cdnAmpWebUrl", Kind.AMP_CDN), item="one"),
    ]


def _stored(engine: sa.Engine) -> list[tuple[object, ...]]:
    return rows(engine, "SELECT link_id, issue, expected, actual FROM link_issue ORDER BY link_id, issue")


def _forget(engine: sa.Engine) -> None:
    with writing(engine) as connection:
        connection.execute(sa.delete(schema.link_issue))
        connection.execute(sa.update(schema.link).values(judged_run=None))


@pytest.mark.parametrize("keeps_images", [True, False])
def test_no_link_with_an_issue_is_left_out(engine: sa.Engine, keeps_images: bool) -> None:  # noqa: FBT001
    """Every combination of what decides, judged with the sieve and without, has the same issues."""
    links = _images() | _pages()
    documents = [document(f"{number}.md", [one]) for number, one in enumerate(links)]
    run = catalogued(engine, *documents, document("amp.md", _amp()))
    keys = ids(engine)
    findings = [replace(made, target=keys[one.text], url=one.text) for one, made in links.items()]
    write(engine, run, *findings)
    rules = LinkRules(cache=keeps_images)
    judge_links(engine, lambda record: link_issues(record, rules))
    expected = _stored(engine)
    _forget(engine)

    seen: list[JudgedLink] = []

    def judge(record: Sequence[JudgedLink]) -> Mapping[int, Sequence[LinkIssue]]:
        seen.extend(record)
        return link_issues(record, rules)

    doubts = may_have_issue(engine.dialect.name, keeps_images=keeps_images)
    judged = judge_links(engine, judge, doubts)
    assert _stored(engine) == expected
    assert judged == len(documents) + 1
    assert len(expected) > 30
    assert len(seen) < len(expected) + 20


def test_an_issue_that_is_mended_goes(engine: sa.Engine) -> None:
    """A link that has an issue is looked at again, whatever is known of it now."""
    run = catalogued(engine, _document())
    (key,) = ids(engine).values()
    doubts = may_have_issue(engine.dialect.name, keeps_images=False)
    write(engine, run, replace(finding(key), picture=PICTURES[3]))
    judge_links(engine, lambda record: link_issues(record, LinkRules()), doubts)
    assert len(_stored(engine)) == 1
    run = catalogued(engine, _document(), at=NOW)
    write(engine, run, replace(finding(key), picture=PICTURES[2]))
    judge_links(engine, lambda record: link_issues(record, LinkRules()), doubts)
    assert _stored(engine) == []


def _document() -> Document:
    return document("r.md", [replace(link("https://i.example/", kind=Kind.IMAGE), declared=DECLARED[3])])
