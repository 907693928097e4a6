"""Judging links: which are judged, with what evidence, and which are left as they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import pytest
import sqlalchemy as sa

from storage.ledger import begin_run
from storage.model import Declared, Document, Evidence, Issue, Kind, LinkIssue, Picture, Size, Verdict
from storage.queries import report as queries
from storage.rollups.link_issues import RECORDS_PER_TRANSACTION, JudgedLink, judge_links
from tests.storage.build import DAY, NOW, catalogued, document, finding, ids, link, rows, write

A: Final = "https://a.example/"
B: Final = "https://b.example/"
C: Final = "https://c.example/"


class _Judge:
    """Remembers what it was given, and finds the same issue with every link that it is told to."""

    def __init__(self, *guilty: str) -> None:
        self.guilty, self.seen = guilty, list[JudgedLink]()

    def __call__(self, record: Sequence[JudgedLink]) -> Mapping[int, Sequence[LinkIssue]]:
        self.seen += record
        return {one.id: [_issue(one)] for one in record if one.link.text in self.guilty}

    @property
    def texts(self) -> list[str]:
        """The texts of the links that were judged."""
        return [one.link.text for one in self.seen]


def _issue(one: JudgedLink) -> LinkIssue:
    return LinkIssue(Issue.SIZE_MISMATCH, "4x3", one.verdict.value if one.verdict else None)


def _issues(engine: sa.Engine) -> dict[str, list[str | None]]:
    """What reports say: the text of each link with the `actual` of its issues."""
    shown = (one for entry in queries.entries(engine) for one in entry.links)
    return {one.link.text: [issue.actual for issue in one.issues] for one in shown}


def _two(engine: sa.Engine) -> None:
    """Two records that were judged: A and B in one, C in the other."""
    run = catalogued(engine, *_documents())
    write(engine, run, *(finding(key) for key in ids(engine).values()))
    assert judge_links(engine, _Judge(A, C)) == 2


def _documents() -> tuple[Document, Document]:
    return document("r.md", [link(A, "l[0]"), link(B, "l[1]")]), document("s.md", [link(C)])


def test_links_are_judged_with_all_that_is_known(engine: sa.Engine) -> None:
    """A judge gets the links of a record together, each with the newest word on its target."""
    image = replace(link(A, "images[0].url", Kind.IMAGE), declared=Declared(4, 3, cached=True), item="")
    run = catalogued(engine, document("r.md", [image, link(B, "l[1]")]))
    picture = Picture(Size(4, 3), Size(3, 4), "JPEG", 6)
    said = replace(finding(ids(engine)[A]), final_url=B, picture=picture, evidence=Evidence(https=B))
    write(engine, run, said)
    judge = _Judge()
    judge_links(engine, judge)
    first, second = judge.seen

    assert (first.link, first.url, first.verdict) == (image, A, Verdict.OK)
    assert (first.final_url, first.picture, first.evidence) == (B, picture, Evidence(https=B))
    assert (second.link.text, second.verdict, second.final_url, second.picture) == (B, None, None, None)
    assert second.evidence == Evidence()


def test_nothing_new_is_not_judged_again(engine: sa.Engine) -> None:
    """Where neither a record nor a finding is new, no link is judged, and issues stay."""
    _two(engine)
    judge = _Judge()
    catalogued(engine, *_documents(), at=NOW + DAY)

    assert (judge_links(engine, judge), judge.seen) == (0, [])
    assert _issues(engine) == {A: ["ok"], B: [], C: ["ok"]}


def test_new_finding_judges_its_records_alone(engine: sa.Engine) -> None:
    """A newer finding has its record judged as a whole, and no other record."""
    _two(engine)
    judge = _Judge(A)
    write(engine, begin_run(engine, "audit", NOW + DAY), finding(ids(engine)[B], Verdict.GONE, NOW + DAY))

    assert (judge_links(engine, judge), judge.texts) == (1, [A, B])
    assert [one.verdict for one in judge.seen] == [Verdict.OK, Verdict.GONE]
    assert judge_links(engine, judge) == 0


@pytest.mark.parametrize("verdict", [Verdict.FRESH, Verdict.NOT_REACHED, Verdict.LOCAL_OUTAGE])
def test_silent_finding_judges_nothing(engine: sa.Engine, verdict: Verdict) -> None:
    """What says nothing of a target changes nothing for its links."""
    _two(engine)
    write(engine, begin_run(engine, "audit", NOW + DAY), finding(ids(engine)[A], verdict, NOW + DAY))

    assert judge_links(engine, _Judge()) == 0
    assert _issues(engine)[A] == ["ok"]


def test_changed_declaration_is_judged(engine: sa.Engine) -> None:
    """What a record says anew of a link, its size for one, has it judged though nothing was asked."""
    _two(engine)
    judge = _Judge()
    declared = replace(link(C), declared=Declared(10, 10))
    catalogued(engine, document("s.md", [declared]), at=NOW + DAY)

    assert (judge_links(engine, judge), [one.link for one in judge.seen]) == (1, [declared])
    assert _issues(engine)[C] == []


def test_link_that_is_gone_has_its_neighbours_judged(engine: sa.Engine) -> None:
    """An issue may follow from another link of the record: once that is gone, it is judged anew."""
    _two(engine)
    judge = _Judge()
    catalogued(engine, document("r.md", [link(A, "l[0]")]), at=NOW + DAY)

    assert (judge_links(engine, judge), judge.texts) == (1, [A])
    assert _issues(engine) == {A: [], C: ["ok"]}


def test_new_link_has_its_neighbours_judged(engine: sa.Engine) -> None:
    """A link more in a record has the whole record judged."""
    _two(engine)
    judge = _Judge()
    catalogued(engine, document("s.md", [link(C), link(A, "l[1]")]), at=NOW + DAY)

    assert (judge_links(engine, judge), judge.texts) == (1, [C, A])


def test_issues_are_replaced_not_gathered(engine: sa.Engine) -> None:
    """Judged again, a link has the issues of the last time alone."""
    _two(engine)
    for day, verdict in enumerate((Verdict.GONE, Verdict.OK, Verdict.GONE), 1):
        at = NOW + day * DAY
        write(engine, begin_run(engine, "audit", at), finding(ids(engine)[A], verdict, at))
        judge_links(engine, _Judge(A))
        assert _issues(engine)[A] == [verdict.value]

    assert rows(engine, "SELECT count(*) FROM link_issue") == [(2,)]


def test_killed_judge_is_made_good(engine: sa.Engine) -> None:
    """A judgement that breaks off loses nothing: the next one judges what it left."""
    run = catalogued(engine, *_documents())
    write(engine, run, *(finding(key) for key in ids(engine).values()))

    def broken(record: Sequence[JudgedLink]) -> Mapping[int, Sequence[LinkIssue]]:
        raise RuntimeError(record[0].link.text)

    with pytest.raises(RuntimeError):
        judge_links(engine, broken)
    assert judge_links(engine, _Judge(A)) == 2
    assert _issues(engine)[A] == ["ok"]


def test_many_records_are_judged_in_several_transactions(engine: sa.Engine) -> None:
    """More records than one transaction takes are all judged, each once."""
    count = RECORDS_PER_TRANSACTION + 3
    catalogued(engine, *(document(f"{n}.md", [link(f"{A}{n}")]) for n in range(count)))
    judge = _Judge(*(f"{A}{n}" for n in range(count)))

    assert judge_links(engine, judge) == count
    assert len(set(judge.texts)) == len(judge.texts) == count
    assert rows(engine, "SELECT count(*) FROM link_issue") == [(count,)]


def test_strange_texts_in_issues(engine: sa.Engine) -> None:
    """NUL, halves of surrogates and ten thousand letters in an issue harm no database."""
    catalogued(engine, document("r.md", [link(A)]))
    strange = LinkIssue(Issue.AMP_CACHE_URL, "a\0b", "\ud800" + "x" * 10_000)
    judge_links(engine, lambda record: {one.id: [strange] for one in record})

    assert _issues(engine)[A] == ["?" + "x" * 10_000]
