"""Judging links: what is wrong with a link follows from its target's finding and its record.

A link is judged once its target has a newer finding, or its record says something new; so a run
that was killed before it judged is made good by the next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Final

import sqlalchemy as sa

from storage.db import schema
from storage.db.predicates import among, image_of_finding, newest_finding, open_link
from storage.db.rows import (
    LINK_CELLS,
    link_columns,
    picture_columns,
    storable_text,
    to_evidence,
    to_link,
    to_picture,
)
from storage.db.sql import Query, ResultRow
from storage.db.statements import PreparedStatement, chunks
from storage.db.transactions import reading, writing
from storage.frozen import frozen
from storage.model import Evidence, Issue, Link, LinkIssue, Picture, Verdict
from storage.rollups.hosts import count_hosts, uncounted_runs
from storage.rollups.images import note_changes, note_shared
from storage.rollups.issue_sieve import stands_beside
from storage.rollups.severity import update_record_severities
from storage.rollups.targets import update_targets

RECORDS_PER_TRANSACTION: Final = 1000  # records judged in one transaction
ISSUE_COLUMNS: Final = ("link_id", "issue", "expected", "actual")


@frozen
class JudgedLink:
    """One open link of a record, with the newest word on its target, its evidence included.

    `cached` tells whether the image cache has it, `stale` whether the link was `cache-stale` so far.
    """

    id: int
    link: Link
    url: str
    verdict: Verdict | None
    final_url: str | None
    picture: Picture | None
    evidence: Evidence = field(default_factory=Evidence)
    cached: bool = False
    stale: bool = False


Judge = Callable[[Sequence[JudgedLink]], Mapping[int, Sequence[LinkIssue]]]


def judge_links(engine: sa.Engine, judge: Judge, doubts: sa.ColumnElement[bool] | None = None) -> int:
    """Judge all links of every record that has one to judge, then count and note what pages show.

    Returns how many records were judged. `doubts`: which links may have an issue at all, such as
    `may_have_issue` tells; the judge sees these, and what stands beside them in their record.

    Raises:
        LedgerError: the database cannot take it.
    """
    records = _unjudged(engine)
    issues = PreparedStatement(engine, sa.insert(schema.link_issue), ISSUE_COLUMNS)
    for chunk in chunks(records, RECORDS_PER_TRANSACTION):
        with writing(engine) as connection:
            _judge_records(connection, chunk, doubts, judge, issues)
    _clear_emptied_records(engine)
    update_targets(engine)
    runs = uncounted_runs(engine)
    count_hosts(engine)
    note_changes(engine, runs)
    note_shared(engine)
    return len(records)


def _clear_emptied_records(engine: sa.Engine) -> None:
    """Note that nothing is wrong any more with records that have no link left to judge."""
    record, link = schema.record, schema.link
    has_open_link = sa.exists().where((link.c.record_id == record.c.id) & open_link())
    update = sa.update(record).where(record.c.severity > 0, ~has_open_link)
    with writing(engine) as connection:
        connection.execute(update.values(severity=0, faults=0))


def _newest() -> sa.ColumnElement[int]:
    """The run of the newest finding on a target; 0 before the first."""
    return sa.func.coalesce(schema.target.c.last_run, 0)


def _unjudged(engine: sa.Engine) -> list[int]:
    link, target = schema.link, schema.target
    query = sa.select(link.c.record_id).distinct().join(target, target.c.id == link.c.target_id)
    query = query.where(open_link())
    query = query.where(link.c.judged_run.is_(None) | (link.c.judged_run != _newest()))
    with reading(engine) as connection:
        return list(connection.execute(query.order_by(link.c.record_id)).scalars())


def _judge_records(
    connection: sa.Connection,
    ids: Sequence[int],
    doubts: sa.ColumnElement[bool] | None,
    judge: Judge,
    insert: PreparedStatement,
) -> None:
    link, issue, dialect = schema.link, schema.link_issue, connection.dialect.name
    records: dict[int, list[JudgedLink]] = {}
    for row in _rows(connection, ids, doubts):
        records.setdefault(row.record_id, []).append(_judged_link(row))
    issues_by_link = [pair for links in records.values() for pair in judge(links).items()]
    link_ids = sa.select(link.c.id).where(among(link.c.record_id, ids, dialect))
    connection.execute(sa.delete(issue).where(issue.c.link_id.in_(link_ids)))
    insert.run(connection, [row for key, issues in issues_by_link for row in _issue_rows(key, issues)])
    _mark_judged(connection, ids)
    update_record_severities(connection, ids)


def _rows(
    connection: sa.Connection, ids: Sequence[int], doubts: sa.ColumnElement[bool] | None
) -> Sequence[ResultRow]:
    """The links of records that have to be judged, with all that is known of them."""
    dialect = connection.dialect.name
    if doubts is None:
        return connection.execute(_query(ids, dialect)).all()
    doubtful = _with_findings(sa.select(schema.link.c.record_id).distinct(), ids, dialect).where(doubts)
    doubtful_ids = list(connection.execute(doubtful).scalars())
    if not doubtful_ids:
        return []
    return connection.execute(_query(doubtful_ids, dialect).where(doubts | stands_beside())).all()


def _issue_rows(link: int, issues: Sequence[LinkIssue]) -> list[tuple[int, str, str | None, str | None]]:
    return [
        (
            link,
            issue.issue.value,
            issue.expected and storable_text(issue.expected),
            issue.actual and storable_text(issue.actual),
        )
        for issue in issues
    ]


def _mark_judged(connection: sa.Connection, ids: Sequence[int]) -> None:
    link, dialect = schema.link, connection.dialect.name
    newest = sa.select(_newest()).where(schema.target.c.id == link.c.target_id).scalar_subquery()
    is_outdated = link.c.judged_run.is_distinct_from(newest)
    update = sa.update(link).where(among(link.c.record_id, ids, dialect), open_link(), is_outdated)
    connection.execute(update.values(judged_run=newest))


def _query(ids: Sequence[int], dialect: str) -> Query:
    link, target, finding = schema.link, schema.target, schema.finding
    query = sa.select(
        *link_columns(), link.c.id, link.c.record_id, target.c.url, finding.c.verdict, finding.c.final_url
    )
    query = query.add_columns(finding.c.evidence, *picture_columns(), *_cache())
    return _with_findings(query, ids, dialect).order_by(link.c.id)


def _with_findings(query: Query, ids: Sequence[int], dialect: str) -> Query:
    """The open links of records, joined with their targets, the newest findings, and images of these."""
    link, target, finding = schema.link, schema.target, schema.finding
    query = query.join(target, target.c.id == link.c.target_id)
    query = query.join(finding, newest_finding(), isouter=True)
    query = query.join(schema.image, image_of_finding(), isouter=True)
    return query.where(among(link.c.record_id, ids, dialect), open_link())


def _cache() -> tuple[sa.Label[bool], sa.Label[bool]]:
    """Whether the cache has the target of a link, and what was said of that before."""
    link, cached, issue = schema.link, schema.cached, schema.link_issue
    was_stale = (issue.c.link_id == link.c.id) & (issue.c.issue == Issue.CACHE_STALE.value)
    has = sa.exists().where(cached.c.target_id == link.c.target_id)
    return has.label("is_cached"), sa.exists().where(was_stale).label("was_stale")


def _judged_link(row: ResultRow) -> JudgedLink:
    link, cells = to_link(row[: len(LINK_CELLS)]), row[len(LINK_CELLS) :]
    key, _, url, verdict, final_url, evidence = cells[:6]
    picture = None if row.image_format is None else to_picture(row._mapping)
    newest_verdict = None if verdict is None else Verdict(verdict)
    cache = bool(row.is_cached), bool(row.was_stale)
    return JudgedLink(key, link, url, newest_verdict, final_url, picture, to_evidence(evidence), *cache)
