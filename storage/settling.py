"""Judging links: what is wrong with a link follows from its target's finding and its record.

A link is judged once its target has a newer finding, or its record says something new; so a run
that was killed before it judged is made good by the next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from storage import schema
from storage.database import reading, writing
from storage.hosts import count_hosts, uncounted
from storage.model import Issue, Link, LinkIssue, Picture, Verdict
from storage.pictures import note_changes, note_shared
from storage.rows import LINK, link_columns, picture_columns, plain, to_link, to_picture
from storage.severity import weigh
from storage.statements import Prepared, chunks
from storage.tally import tally

RECORDS: Final = 200  # records judged in one transaction
ISSUE: Final = ("link_id", "issue", "expected", "actual")


@dataclass(frozen=True, slots=True)
class Placed:
    """One open link of a record, with the newest word on its target, its evidence included.

    `cached` tells whether the image cache has it, `stale` whether the link was `cache-stale` so far.
    """

    id: int
    link: Link
    url: str
    verdict: Verdict | None
    final_url: str | None
    picture: Picture | None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    cached: bool = False
    stale: bool = False


Judge = Callable[[Sequence[Placed]], Mapping[int, Sequence[LinkIssue]]]


def settle(engine: sa.Engine, judge: Judge) -> int:
    """Judge all links of every record that has one to judge, then count and note what pages show.

    Returns how many records were judged.

    Raises:
        LedgerError: the database cannot take it.
    """
    records = _unjudged(engine)
    issues = Prepared(engine, sa.insert(schema.link_issue), ISSUE)
    for some in chunks(records, RECORDS):
        with writing(engine) as connection:
            _settle(connection, some, judge, issues)
    _weigh_emptied(engine)
    tally(engine)
    runs = uncounted(engine)
    count_hosts(engine)
    note_changes(engine, runs)
    note_shared(engine)
    return len(records)


def _weigh_emptied(engine: sa.Engine) -> None:
    """Note that nothing is wrong any more with records that have no link left to judge."""
    record, link = schema.record, schema.link
    open_ = sa.exists().where((link.c.record_id == record.c.id) & link.c.closed_run.is_(None))
    emptied = sa.update(record).where(record.c.severity > 0, ~open_)
    with writing(engine) as connection:
        connection.execute(emptied.values(severity=0, faults=0))


def _newest() -> sa.ColumnElement[int]:
    """The run of the newest finding on a target; 0 before the first."""
    return sa.func.coalesce(schema.target.c.last_run, 0)


def _unjudged(engine: sa.Engine) -> list[int]:
    link, target = schema.link, schema.target
    query = sa.select(link.c.record_id).distinct().join(target, target.c.id == link.c.target_id)
    query = query.where(link.c.closed_run.is_(None))
    query = query.where(link.c.judged_run.is_(None) | (link.c.judged_run != _newest()))
    with reading(engine) as connection:
        return list(connection.execute(query.order_by(link.c.record_id)).scalars())


def _settle(connection: sa.Connection, ids: Sequence[int], judge: Judge, insert: Prepared) -> None:
    link, issue = schema.link, schema.link_issue
    records: dict[int, list[Placed]] = {}
    for row in connection.execute(_query(ids)).all():
        records.setdefault(row.record_id, []).append(_placed(row))
    judged = [pair for placed in records.values() for pair in judge(placed).items()]
    theirs = sa.select(link.c.id).where(link.c.record_id.in_(ids))
    connection.execute(sa.delete(issue).where(issue.c.link_id.in_(theirs)))
    insert.run(connection, [row for key, issues in judged for row in _issue_rows(key, issues)])
    _mark_judged(connection, ids)
    weigh(connection, ids)


def _issue_rows(link: int, issues: Sequence[LinkIssue]) -> list[tuple[int, str, str | None, str | None]]:
    return [
        (link, one.issue.value, one.expected and plain(one.expected), one.actual and plain(one.actual))
        for one in issues
    ]


def _mark_judged(connection: sa.Connection, ids: Sequence[int]) -> None:
    link = schema.link
    newest = sa.select(_newest()).where(schema.target.c.id == link.c.target_id).scalar_subquery()
    unmarked = link.c.judged_run.is_distinct_from(newest)
    here = sa.update(link).where(link.c.record_id.in_(ids), link.c.closed_run.is_(None), unmarked)
    connection.execute(here.values(judged_run=newest))


def _query(ids: Sequence[int]) -> sa.Select[Any]:
    link, target, finding, image = schema.link, schema.target, schema.finding, schema.image
    same = (finding.c.target_id == target.c.id) & (finding.c.run_id == target.c.last_run)
    pictured = (image.c.target_id == finding.c.target_id) & (image.c.run_id == finding.c.run_id)
    query = sa.select(
        *link_columns(), link.c.id, link.c.record_id, target.c.url, finding.c.verdict, finding.c.final_url
    )
    query = query.add_columns(finding.c.evidence, *picture_columns(), *_cache())
    query = query.join(target, target.c.id == link.c.target_id)
    query = query.join(finding, same, isouter=True).join(image, pictured, isouter=True)
    return query.where(link.c.record_id.in_(ids), link.c.closed_run.is_(None)).order_by(link.c.id)


def _cache() -> tuple[sa.Label[bool], sa.Label[bool]]:
    """Whether the cache has the target of a link, and what was said of that before."""
    link, cached, issue = schema.link, schema.cached, schema.link_issue
    said = (issue.c.link_id == link.c.id) & (issue.c.issue == Issue.CACHE_STALE.value)
    has = sa.exists().where(cached.c.target_id == link.c.target_id)
    return has.label("is_cached"), sa.exists().where(said).label("was_stale")


def _placed(row: sa.Row[Any]) -> Placed:
    link, rest = to_link(row[: len(LINK)]), row[len(LINK) :]
    key, _, url, verdict, final_url, evidence = rest[:6]
    picture = None if row.image_format is None else to_picture(row._mapping)
    said = None if verdict is None else Verdict(verdict)
    cache = bool(row.is_cached), bool(row.was_stale)
    return Placed(key, link, url, said, final_url, picture, evidence or {}, *cache)
