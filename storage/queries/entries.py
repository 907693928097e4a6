"""What a report shows of each target: its newest finding, its links and their issues.

Sorting is done on keys alone, and the rest is fetched a page of targets at a time: so a report of
a million targets needs the memory of one page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from storage import schema
from storage.database import reading
from storage.model import (
    Class,
    Finding,
    Issue,
    Kind,
    Link,
    LinkIssue,
    Pin,
    PinWord,
    Run,
    State,
    Verdict,
)
from storage.queries.due import KINDS
from storage.rows import (
    FINDING,
    STATES,
    finding_columns,
    link_columns,
    picture_columns,
    to_finding,
    to_link,
    to_picture,
)
from storage.statements import chunks

WORST_FIRST: Final = (
    Class.HARD,
    Class.SOFT,
    Class.CONTENT,
    Class.TRANSIENT,
    Class.UNKNOWN,
    Class.UNCHECKED,
    Class.ALIVE,
)


@dataclass(frozen=True, slots=True)
class EntryLink:
    """One link as a report shows it, with what is wrong with it.

    `record` is the path of its file, `number` which record of that file it stands in, 0-based.
    """

    record: str
    link: Link
    issues: tuple[LinkIssue, ...] = ()
    number: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One target as a report shows it.

    `finding` is the newest that says something of the target; `verdict` is its verdict, but for
    a target that the run did not ask: then it is `fresh` or `not-reached`. `state` is what a
    person pinned, if anybody did; a target that is to be ignored is `excluded` and has no issues.
    """

    id: int
    url: str
    kind: Kind
    verdict: Verdict
    state: State
    next_due: datetime | None
    failing_since: datetime | None
    finding: Finding | None
    links: tuple[EntryLink, ...] = ()
    pin: Pin | None = None

    @property
    def known(self) -> Verdict:
        """The verdict that holds: a problem does not go away because it was not asked again."""
        if self.verdict is Verdict.FRESH and self.finding is not None:
            return self.finding.verdict
        return self.verdict


@dataclass(frozen=True, slots=True)
class _Named:
    """A link of a page, and the run that last read its record."""

    shown: EntryLink
    seen_run: int


def entries(engine: sa.Engine, *, run: Run | None = None, asked: Run | None = None) -> Iterator[Entry]:
    """Targets for a report, worst class first, then by URL.

    Without a run: the newest finding of every target that a record names. `run`: the findings of
    that run alone. `asked`: every target of the records that this run read, whether it was asked
    or not.

    Raises:
        LedgerError: the database cannot be read.
    """
    with reading(engine) as connection:
        keys = connection.execute(_keys(run, asked)).scalars()
        for some in chunks(keys):
            yield from page(connection, some, run, asked)


def find(engine: sa.Engine, url: str) -> Entry | None:
    """The target with this request URL, or one that a link names with this text.

    Raises:
        LedgerError: the database cannot be read.
    """
    target, link = schema.target, schema.link
    by_url = sa.select(target.c.id).where(target.c.url == url)
    by_text = sa.select(link.c.target_id).where(link.c.text == url).order_by(link.c.target_id).limit(1)
    with reading(engine) as connection:
        key = connection.execute(by_url).scalar() or connection.execute(by_text).scalar()
        return None if key is None else next(page(connection, [key]))


def at(engine: sa.Engine, which: str | int, *, most: int) -> Entry | None:
    """The target with this request URL, or this number, and the first `most` of its links: always quick.

    Raises:
        LedgerError: the database cannot be read.
    """
    target, link = schema.target, schema.link
    column: sa.Column[Any] = target.c.url if isinstance(which, str) else target.c.id
    with reading(engine) as connection:
        key = connection.execute(sa.select(target.c.id).where(column == which)).scalar()
        if key is None:
            return None
        open_ = sa.select(link.c.id).where(link.c.target_id == key, link.c.closed_run.is_(None))
        links = list(connection.execute(open_.order_by(link.c.id).limit(most)).scalars())
        return next(page(connection, [key], links=links))


def _keys(run: Run | None, asked: Run | None) -> sa.Select[Any]:
    """The ids of the targets of a report, in its order."""
    target, finding, link, record = schema.target, schema.finding, schema.link, schema.record
    query = sa.select(target.c.id).join(finding, _newest(run), isouter=run is None)
    if asked is not None:
        named = sa.select(link.c.target_id).join(record, record.c.id == link.c.record_id)
        named = named.where(link.c.closed_run.is_(None), record.c.seen_run == asked.id)
        query = query.where(target.c.id.in_(named))
    elif run is None:
        open_ = (link.c.target_id == target.c.id) & link.c.closed_run.is_(None)
        query = query.where(sa.exists().where(open_))
    ranks = {cls.value: rank for rank, cls in enumerate(WORST_FIRST)}
    unchecked = ranks[Class.UNCHECKED.value]
    order = sa.case(ranks, value=finding.c["class"], else_=unchecked)
    return query.order_by(sa.case((ignored(), unchecked), else_=order), target.c.url)


def ignored() -> sa.ColumnElement[bool]:
    """Whether somebody said that a target is to be ignored."""
    pin = schema.pin
    return sa.exists().where((pin.c.url == schema.target.c.url) & (pin.c.word == PinWord.IGNORE.value))


def _newest(run: Run | None) -> sa.ColumnElement[bool]:
    """Which finding is shown of a target: the one of a run, or the newest that says something."""
    target, finding = schema.target, schema.finding
    at = sa.literal(run.id) if run else target.c.last_run
    return (finding.c.target_id == target.c.id) & (finding.c.run_id == at)


def page(
    connection: sa.Connection,
    ids: Sequence[int],
    run: Run | None = None,
    asked: Run | None = None,
    links: Sequence[int] | None = None,
) -> Iterator[Entry]:
    """The entries of some targets, in the order given; `run` and `asked` as of `entries`.

    `links`: only these links are shown.
    """
    rows = {row.key: row for row in connection.execute(_query(ids, run, asked)).all()}
    here = schema.link.c.target_id.in_(ids) if links is None else schema.link.c.id.in_(links)
    named = _links(connection, here)
    return (_entry(rows[key], named.get(key, ()), asked) for key in ids)


def _query(ids: Sequence[int], run: Run | None, asked: Run | None) -> sa.Select[Any]:
    target, finding, image = schema.target, schema.finding, schema.image
    silent = finding.alias("silent")
    standing = (target.c.url, target.c.state, target.c.next_due, target.c.failing_since)
    query = sa.select(
        *finding_columns(),
        target.c.id.label("key"),
        *standing,
        silent.c.verdict.label("silent"),
        *picture_columns(),
        *(column.label(f"pin_{column.name}") for column in schema.pin.c),
    )
    query = query.join(finding, _newest(run), isouter=True)
    pictured = (image.c.target_id == finding.c.target_id) & (image.c.run_id == finding.c.run_id)
    said = (silent.c.target_id == target.c.id) & (silent.c.run_id == (asked.id if asked else -1))
    query = query.join(image, pictured, isouter=True).join(silent, said, isouter=True)
    query = query.join(schema.pin, schema.pin.c.url == target.c.url, isouter=True)
    return query.where(target.c.id.in_(ids))


def _entry(row: sa.Row[Any], links: Sequence[_Named], asked: Run | None) -> Entry:
    key, url, state, next_due, failing_since = row[len(FINDING) : len(FINDING) + 5]
    picture = None if row.image_format is None else to_picture(row._mapping)
    finding = None if row.verdict is None else to_finding(url, row[: len(FINDING)], picture)
    entry = Entry(
        key,
        url,
        _kind(links, asked),
        _shown(row, finding, asked),
        STATES[state],
        next_due,
        failing_since,
        finding,
        tuple([link.shown for link in links]),
    )
    return entry if row.pin_url is None else _pinned(entry, _pin(row))


def _pin(row: sa.Row[Any]) -> Pin:
    return Pin(row.pin_url, PinWord(row.pin_word), row.pin_why, row.pin_author, row.pin_at)


def _pinned(entry: Entry, pin: Pin) -> Entry:
    """The entry as a person wants it seen."""
    if pin.word is PinWord.IGNORE:
        links = tuple(replace(link, issues=()) for link in entry.links)
        return replace(entry, verdict=Verdict.EXCLUDED, links=links, pin=pin)
    return replace(entry, state=State(pin.word.value), pin=pin)


def _kind(links: Sequence[_Named], asked: Run | None) -> Kind:
    """The most demanding kind of the links that a run read, or of all."""
    read = [link for link in links if asked is None or link.seen_run == asked.id]
    kinds = (link.shown.link.kind for link in read or links)
    return min(kinds, key=KINDS.index, default=Kind.WEB)


def _shown(row: sa.Row[Any], finding: Finding | None, asked: Run | None) -> Verdict:
    if asked is None:
        return finding.verdict if finding else Verdict.NOT_REACHED
    if row.silent is not None:
        return Verdict(row.silent)
    if finding is not None and (asked.command, asked.ended) == ("refresh", "finished"):
        return Verdict.FRESH  # by what its server said when it was kept
    was_due = row.next_due is None or row.next_due <= asked.started_at
    return Verdict.NOT_REACHED if was_due else Verdict.FRESH


def _links(connection: sa.Connection, here: sa.ColumnElement[bool]) -> Mapping[int, Sequence[_Named]]:
    """The open links of some targets, each with its record and issues, in a stable order."""
    link, record = schema.link, schema.record
    place = (link.c.target_id, link.c.id, record.c.path, record.c.number, record.c.seen_run)
    query = sa.select(*place, *link_columns())
    query = query.join(record, record.c.id == link.c.record_id)
    query = query.where(here, link.c.closed_run.is_(None))
    query = query.order_by(record.c.path, record.c.number, link.c.line, link.c.column, link.c.id)
    issues = _issues(connection, here)
    found: dict[int, list[_Named]] = {}
    for target, key, path, number, seen_run, *cells in connection.execute(query).all():
        made = EntryLink(path, to_link(cells), tuple(issues.get(key, ())), number)
        found.setdefault(target, []).append(_Named(made, seen_run))
    return found


def _issues(connection: sa.Connection, here: sa.ColumnElement[bool]) -> Mapping[int, Sequence[LinkIssue]]:
    issue, link = schema.link_issue, schema.link
    query = sa.select(issue.c.link_id, issue.c.issue, issue.c.expected, issue.c.actual)
    query = query.join(link, link.c.id == issue.c.link_id).where(here)
    found: dict[int, list[LinkIssue]] = {}
    for key, name, expected, actual in connection.execute(query.order_by(issue.c.id)):
        found.setdefault(key, []).append(LinkIssue(Issue(name), expected, actual))
    return found
