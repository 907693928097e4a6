"""Judging links: what is wrong with a link follows from its target's finding and its record.

A link is judged once its target has a newer finding, or its record says something new; so a run
that was killed before it judged is made good by the next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from storage import schema
from storage.catalogue import chunks, declared_from_json
from storage.database import explain
from storage.model import Kind, Link, LinkIssue, Picture, Size, Verdict

RECORDS: Final = 200  # records judged in one transaction


@dataclass(frozen=True, slots=True)
class Placed:
    """One open link of a record, with the newest word on its target."""

    id: int
    link: Link
    url: str
    verdict: Verdict | None
    final_url: str | None
    picture: Picture | None


Judge = Callable[[Sequence[Placed]], Mapping[int, Sequence[LinkIssue]]]


def settle(engine: sa.Engine, judge: Judge) -> int:
    """Judge the links of every record that has one to judge; return how many records.

    Raises:
        LedgerError: the database cannot take it.
    """
    count = 0
    try:
        for ids in chunks(_unjudged(engine), RECORDS):
            with engine.begin() as connection:
                _settle(connection, ids, judge)
            count += len(ids)
    except DBAPIError as exc:
        raise explain(exc, str(engine.url)) from exc
    return count


def _unjudged(engine: sa.Engine) -> list[int]:
    link, target = schema.link, schema.target
    newest = sa.func.coalesce(target.c.last_run, 0)
    query = sa.select(link.c.record_id).distinct().join(target, target.c.id == link.c.target_id)
    query = query.where(link.c.closed_run.is_(None))
    query = query.where(link.c.judged_run.is_(None) | (link.c.judged_run != newest))
    with engine.connect() as connection:
        return list(connection.execute(query.order_by(link.c.record_id)).scalars())


def _settle(connection: sa.Connection, ids: Sequence[int], judge: Judge) -> None:
    link, issue = schema.link, schema.link_issue
    records: dict[int, list[Placed]] = {}
    for row in connection.execute(_placed_query(ids)).mappings():
        records.setdefault(row["record_id"], []).append(_placed(row))
    rows = [
        {"link_id": key, "issue": one.issue.value, "expected": one.expected, "actual": one.actual}
        for placed in records.values()
        for key, issues in judge(placed).items()
        for one in issues
    ]
    here = link.c.record_id.in_(ids)
    mine = sa.select(link.c.id).where(here)
    connection.execute(sa.delete(issue).where(issue.c.link_id.in_(mine)))
    if rows:
        connection.execute(sa.insert(issue), rows)
    newest = sa.select(sa.func.coalesce(schema.target.c.last_run, 0))
    newest = newest.where(schema.target.c.id == link.c.target_id)
    update = sa.update(link).where(here, link.c.closed_run.is_(None))
    connection.execute(update.values(judged_run=newest.scalar_subquery()))


def _placed_query(ids: Sequence[int]) -> sa.Select[Any]:
    link, target, finding, image = schema.link, schema.target, schema.finding, schema.image
    same = (finding.c.target_id == target.c.id) & (finding.c.run_id == target.c.last_run)
    pictured = (image.c.target_id == finding.c.target_id) & (image.c.run_id == finding.c.run_id)
    query = sa.select(
        link,
        target.c.url,
        finding.c.verdict,
        finding.c.final_url,
        *(c.label(f"image_{c.name}") for c in image.c),
    )
    query = query.join(target, target.c.id == link.c.target_id)
    query = query.join(finding, same, isouter=True).join(image, pictured, isouter=True)
    return query.where(link.c.record_id.in_(ids), link.c.closed_run.is_(None)).order_by(link.c.id)


def _placed(row: sa.RowMapping) -> Placed:
    link = Link(
        row["field"],
        row["line"],
        row["column"],
        row["text"],
        Kind(row["kind"]),
        row["item"],
        declared_from_json(row["declared"]),
    )
    verdict = None if row["verdict"] is None else Verdict(row["verdict"])
    return Placed(row["id"], link, row["url"], verdict, row["final_url"], _picture(row))


def _picture(row: sa.RowMapping) -> Picture | None:
    if row["image_format"] is None:
        return None
    stored = None
    if row["image_stored_width"] is not None:
        stored = Size(row["image_stored_width"], row["image_stored_height"])
    size = None if row["image_width"] is None else Size(row["image_width"], row["image_height"])
    return Picture(size, stored, row["image_format"], row["image_orientation"])
