"""A page of entries: the rows of some targets, their newest findings, their links and issues."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa

from storage.db import schema
from storage.db.predicates import (
    among,
    finding_of_run,
    image_of_finding,
    newest_finding,
    open_link,
    pin_of_target,
)
from storage.db.rows import (
    FINDING_COLUMNS,
    STATES_BY_VALUE,
    finding_columns,
    link_columns,
    picture_columns,
    to_finding,
    to_link,
    to_picture,
)
from storage.db.sql import Query, ResultRow
from storage.frozen import frozen
from storage.model import (
    KINDS_BY_DEMAND,
    Finding,
    Issue,
    Kind,
    LinkIssue,
    Pin,
    PinWord,
    Run,
    RunEnd,
    State,
    Verdict,
)
from storage.queries.report.entry import Entry, EntryLink


@frozen
class _NamedLink:
    """A link of a page, and the run that last read its record."""

    shown: EntryLink
    seen_run: int


def entry_page(
    connection: sa.Connection,
    ids: Sequence[int],
    run: Run | None = None,
    reading_run: Run | None = None,
    links: Sequence[int] | None = None,
) -> Iterator[Entry]:
    """The entries of some targets, in the order given; `run` and `reading_run` as of `entries`.

    `links`: only these links are shown.
    """
    link, dialect = schema.link, connection.dialect.name
    query = _query(run, reading_run).where(among(schema.target.c.id, ids, dialect))
    rows = {row.key: row for row in connection.execute(query).all()}
    condition = among(link.c.target_id, ids, dialect) if links is None else among(link.c.id, links, dialect)
    links_by_target = _links(connection, condition)
    return (_entry(rows[key], links_by_target.get(key, ()), reading_run) for key in ids)


def _query(run: Run | None, reading_run: Run | None) -> Query:
    target, finding = schema.target, schema.finding
    silent = finding.alias("silent")
    standing = (target.c.url, target.c.state, target.c.next_due, target.c.failing_since, target.c.hazard)
    query = sa.select(
        *finding_columns(),
        target.c.id.label("key"),
        *standing,
        silent.c.verdict.label("silent"),
        silent.c.detail.label("silent_detail"),
        *picture_columns(),
        *(column.label(f"pin_{column.name}") for column in schema.pin.c),
    )
    query = query.join(finding, shown_finding(run), isouter=True)
    this_run = finding_of_run(reading_run.id, silent) if reading_run else _newest_of_unknown(silent)
    query = query.join(schema.image, image_of_finding(), isouter=True).join(silent, this_run, isouter=True)
    return query.join(schema.pin, pin_of_target(), isouter=True)


def _newest_of_unknown(silent: sa.FromClause) -> sa.ColumnElement[bool]:
    """The newest finding of a target of which no finding says anything."""
    target, finding = schema.target, schema.finding.alias("any_finding")
    newest = sa.select(sa.func.max(finding.c.run_id)).where(finding.c.target_id == target.c.id)
    of_target = (silent.c.target_id == target.c.id) & target.c.last_run.is_(None)
    return of_target & (silent.c.run_id == newest.correlate(target).scalar_subquery())


def _entry(row: ResultRow, links: Sequence[_NamedLink], reading_run: Run | None) -> Entry:
    key, url, state, next_due, failing_since, hazard = row[len(FINDING_COLUMNS) : len(FINDING_COLUMNS) + 6]
    picture = None if row.image_format is None else to_picture(row._mapping)
    finding = None if row.verdict is None else to_finding(url, row[: len(FINDING_COLUMNS)], picture)
    not_asked = _why_not_asked(row, finding, reading_run)
    entry = Entry(
        key,
        url,
        _kind(links, reading_run),
        finding.verdict if finding else not_asked or Verdict.NOT_REACHED,
        STATES_BY_VALUE[state],
        next_due,
        failing_since,
        finding,
        tuple([link.shown for link in links]),
        not_asked=not_asked,
        unasked_reason=row.silent_detail if not_asked else None,
        hazard=hazard,
    )
    return entry if row.pin_url is None else _as_pinned(entry, _pin(row))


def _pin(row: ResultRow) -> Pin:
    return Pin(row.pin_url, PinWord(row.pin_word), row.pin_why, row.pin_author, row.pin_at)


def _as_pinned(entry: Entry, pin: Pin) -> Entry:
    """The entry as a person wants it seen."""
    if pin.word is PinWord.IGNORE:
        links = tuple(replace(link, issues=()) for link in entry.links)
        return replace(entry, verdict=Verdict.EXCLUDED, not_asked=None, links=links, pin=pin)
    return replace(entry, state=State(pin.word.value), pin=pin)


def _kind(links: Sequence[_NamedLink], reading_run: Run | None) -> Kind:
    """The most demanding kind of the links that a run read, or of all."""
    read = [link for link in links if reading_run is None or link.seen_run == reading_run.id]
    kinds = (link.shown.link.kind for link in read or links)
    return min(kinds, key=KINDS_BY_DEMAND.index, default=Kind.WEB)


def _why_not_asked(row: ResultRow, finding: Finding | None, reading_run: Run | None) -> Verdict | None:
    """Why a run did not ask a target; without a run, why none ever did. None if it was asked."""
    if row.silent is not None:
        verdict = Verdict(row.silent)
        return verdict if verdict.unasked else None
    if reading_run is None:
        return None if finding else Verdict.NOT_REACHED
    if finding is not None and (reading_run.command, reading_run.ended) == ("refresh", RunEnd.FINISHED):
        return Verdict.FRESH  # by what its server said when it was kept
    was_due = row.next_due is None or row.next_due <= reading_run.started_at
    return Verdict.NOT_REACHED if was_due else Verdict.FRESH


def _links(
    connection: sa.Connection, condition: sa.ColumnElement[bool]
) -> Mapping[int, Sequence[_NamedLink]]:
    """The open links of some targets, each with its record and issues, in a stable order."""
    link, record = schema.link, schema.record
    place = (link.c.target_id, link.c.id, record.c.path, record.c.number, record.c.seen_run)
    query = sa.select(*place, *link_columns())
    query = query.join(record, record.c.id == link.c.record_id)
    query = query.where(condition, open_link())
    query = query.order_by(record.c.path, record.c.number, link.c.line, link.c.column, link.c.id)
    issues = _issues(connection, condition)
    links: dict[int, list[_NamedLink]] = {}
    for target, key, path, number, seen_run, *cells in connection.execute(query).all():
        entry_link = EntryLink(path, to_link(cells), tuple(issues.get(key, ())), number)
        links.setdefault(target, []).append(_NamedLink(entry_link, seen_run))
    return links


def _issues(
    connection: sa.Connection, condition: sa.ColumnElement[bool]
) -> Mapping[int, Sequence[LinkIssue]]:
    issue, link = schema.link_issue, schema.link
    query = sa.select(issue.c.link_id, issue.c.issue, issue.c.expected, issue.c.actual)
    query = query.join(link, link.c.id == issue.c.link_id).where(condition)
    issues: dict[int, list[LinkIssue]] = {}
    for key, name, expected, actual in connection.execute(query.order_by(issue.c.id)):
        issues.setdefault(key, []).append(LinkIssue(Issue(name), expected, actual))
    return issues


def shown_finding(run: Run | None) -> sa.ColumnElement[bool]:
    """Which finding is shown of a target: the one of a run, or the newest that says something."""
    return finding_of_run(run.id) if run else newest_finding()
