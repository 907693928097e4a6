"""The read side: what a run has to check, and what reports, `explain` and people want to know."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from storage import schema
from storage.catalogue import chunks, declared_from_json
from storage.model import (
    Class,
    Finding,
    Hop,
    Issue,
    Kind,
    Link,
    LinkIssue,
    Picture,
    Problem,
    Redirect,
    Run,
    Size,
    State,
    Target,
    Verdict,
)

Row = sa.RowMapping
# The most demanding kind of its links is the kind of a target.
RANKS: Final = {Kind.IMAGE: 0, Kind.AMP: 1, Kind.AMP_CDN: 2, Kind.WEB: 3}
KINDS: Final = tuple(sorted(RANKS, key=lambda kind: RANKS[kind]))
WORST_FIRST: Final = (
    Class.HARD,
    Class.SOFT,
    Class.CONTENT,
    Class.TRANSIENT,
    Class.UNKNOWN,
    Class.UNCHECKED,
    Class.ALIVE,
)
PAGE: Final = 500  # targets whose links are fetched together


@dataclass(frozen=True, slots=True)
class EntryLink:
    """One link as a report shows it, with what is wrong with it."""

    record: str
    link: Link
    issues: tuple[LinkIssue, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One target as a report shows it.

    `finding` is the newest that says something of the target; `verdict` is its verdict, but for
    a target that the run did not ask: then it is `fresh` or `not-reached`.
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

    @property
    def known(self) -> Verdict:
        """The verdict that holds: a problem does not go away because it was not asked again."""
        if self.verdict is Verdict.FRESH and self.finding is not None:
            return self.finding.verdict
        return self.verdict


def _kind_of_links() -> sa.ColumnElement[int]:
    ranks = {kind.value: rank for kind, rank in RANKS.items()}
    return sa.func.min(sa.case(ranks, value=schema.link.c.kind, else_=len(ranks)))


def _scope(run: int | None) -> sa.Select[Any]:
    """Target ids and kinds that open links name, in the records of one run or in all."""
    link, record = schema.link, schema.record
    query = sa.select(link.c.target_id, _kind_of_links().label("rank"))
    query = query.where(link.c.closed_run.is_(None)).group_by(link.c.target_id)
    if run is None:
        return query
    return query.join(record, record.c.id == link.c.record_id).where(record.c.seen_run == run)


def due(
    engine: sa.Engine,
    run: Run,
    *,
    kinds: Collection[Kind] = (),
    force: bool = False,
) -> list[Target]:
    """The targets of this run's records that are due at its start: new ones, then the oldest."""
    scope = _scope(run.id)
    if kinds:
        scope = scope.where(schema.link.c.kind.in_([kind.value for kind in kinds]))
    named = scope.subquery()
    target = schema.target
    query = sa.select(target.c.id, target.c.url, named.c.rank)
    query = query.join(named, named.c.target_id == target.c.id)
    if not force:
        query = query.where(target.c.next_due.is_(None) | (target.c.next_due <= run.started_at))
    query = query.order_by(target.c.checked_at.is_not(None), target.c.next_due, target.c.id)
    with engine.connect() as connection:
        rows = connection.execution_options(yield_per=5000).execute(query)
        return [Target(key, url, KINDS[rank]) for key, url, rank in rows]


def entries(engine: sa.Engine, *, run: Run | None = None, asked: Run | None = None) -> Iterator[Entry]:
    """Targets for a report, worst class first, then by URL.

    Without a run: the newest finding of every target that a record names. `run`: the findings of
    that run alone. `asked`: every target of the records that this run read, whether it was asked
    or not.
    """
    with engine.connect() as connection:
        rows = connection.execution_options(yield_per=PAGE).execute(_entries_query(run, asked))
        for page in chunks(rows.mappings(), PAGE):
            made = [_entry(row, asked) for row in page]
            links = _links(connection, [entry.id for entry in made])
            yield from (replace(one, links=tuple(links.get(one.id, ()))) for one in made)


def _entries_query(run: Run | None, asked: Run | None) -> sa.Select[Any]:
    target, finding, image = schema.target, schema.finding, schema.image
    named = _scope(asked.id if asked else None).subquery()
    at = sa.literal(run.id) if run else target.c.last_run
    same = (finding.c.target_id == target.c.id) & (finding.c.run_id == at)
    pictured = (image.c.target_id == finding.c.target_id) & (image.c.run_id == finding.c.run_id)
    columns = [
        target.c.id.label("key"),
        target.c.url,
        target.c.state,
        target.c.next_due,
        target.c.failing_since,
        named.c.rank,
        *(c for c in finding.c if c.name != "target_id"),
        *(c.label(f"image_{c.name}") for c in image.c),
    ]
    silent = finding.alias("silent")
    query = sa.select(*columns, silent.c.verdict.label("silent"), silent.c.detail.label("why"))
    query = query.join(named, named.c.target_id == target.c.id, isouter=run is not None)
    query = query.join(finding, same, isouter=run is None).join(image, pictured, isouter=True)
    silenced = (silent.c.target_id == target.c.id) & (silent.c.run_id == (asked.id if asked else -1))
    query = query.join(silent, silenced, isouter=True)
    ranks = {cls.value: rank for rank, cls in enumerate(WORST_FIRST)}
    order = sa.case(ranks, value=finding.c["class"], else_=ranks[Class.UNCHECKED.value])
    return query.order_by(order, target.c.url)


def _entry(row: Row, asked: Run | None) -> Entry:
    finding = None if row["verdict"] is None else _finding(row)
    return Entry(
        row["key"],
        row["url"],
        KINDS[row["rank"]] if row["rank"] is not None else Kind.WEB,
        _shown(row, finding, asked),
        State(row["state"]),
        row["next_due"],
        row["failing_since"],
        finding,
    )


def _shown(row: Row, finding: Finding | None, asked: Run | None) -> Verdict:
    if asked is None:
        return finding.verdict if finding else Verdict.NOT_REACHED
    if row["silent"] is not None:
        return Verdict(row["silent"])
    if finding is not None and row["run_id"] == asked.id:
        return finding.verdict
    next_due = row["next_due"]
    was_due = next_due is None or next_due <= asked.started_at
    return Verdict.NOT_REACHED if was_due else Verdict.FRESH


def _finding(row: Row) -> Finding:
    return Finding(
        target=row["key"],
        url=row["url"],
        verdict=Verdict(row["verdict"]),
        checked_at=row["checked_at"],
        status=row["status"],
        final_url=row["final_url"],
        moved_to=row["moved_to"],
        redirects=tuple(Redirect(url, status) for url, status in row["redirects"] or ()),
        attempts=row["attempts"],
        requests=row["requests"],
        elapsed=row["elapsed"],
        bytes=row["bytes"],
        detail=row["detail"],
        picture=_picture(row),
        retry_at=row["retry_at"],
        evidence=row["evidence"] or {},
    )


def _picture(row: Row) -> Picture | None:
    if row["image_format"] is None:
        return None
    return Picture(
        _size(row["image_width"], row["image_height"]),
        _size(row["image_stored_width"], row["image_stored_height"]),
        row["image_format"],
        row["image_orientation"],
        row["image_frames"],
        row["image_mode"],
        row["image_bytes"],
        row["image_digest"],
        row["image_cached"],
    )


def _size(width: int | None, height: int | None) -> Size | None:
    return None if width is None or height is None else Size(width, height)


def _links(connection: sa.Connection, ids: Sequence[int]) -> dict[int, list[EntryLink]]:
    """The open links of some targets, each with its record and issues, in a stable order."""
    link, record = schema.link, schema.record
    query = sa.select(link, record.c.path).join(record, record.c.id == link.c.record_id)
    query = query.where(link.c.target_id.in_(ids), link.c.closed_run.is_(None))
    query = query.order_by(record.c.path, record.c.number, link.c.line, link.c.column, link.c.id)
    rows = list(connection.execute(query).mappings())
    issues = _issues(connection, ids)
    found: dict[int, list[EntryLink]] = {}
    for row in rows:
        made = EntryLink(row["path"], to_link(row), tuple(issues.get(row["id"], ())))
        found.setdefault(row["target_id"], []).append(made)
    return found


def to_link(row: Row) -> Link:
    """The link that a row keeps."""
    return Link(
        row["field"],
        row["line"],
        row["column"],
        row["text"],
        Kind(row["kind"]),
        row["item"],
        declared_from_json(row["declared"]),
    )


def _issues(connection: sa.Connection, ids: Sequence[int]) -> dict[int, list[LinkIssue]]:
    issue, link = schema.link_issue, schema.link
    query = sa.select(issue.c.link_id, issue.c.issue, issue.c.expected, issue.c.actual)
    query = query.join(link, link.c.id == issue.c.link_id).where(link.c.target_id.in_(ids))
    found: dict[int, list[LinkIssue]] = {}
    for key, name, expected, actual in connection.execute(query.order_by(issue.c.id)):
        found.setdefault(key, []).append(LinkIssue(Issue(name), expected, actual))
    return found


@dataclass(slots=True)
class Totals:
    """Counts over the entries of a report, by the words of the contract."""

    targets: int = 0
    links: int = 0
    requests: int = 0
    classes: dict[str, int] = field(default_factory=dict)
    verdicts: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    states: dict[str, int] = field(default_factory=dict)
    issues: dict[str, int] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)

    def add(self, entry: Entry) -> None:
        """Count one entry. `known` gathers every word that `--fail-on` can name."""
        self.targets += 1
        self.links += len(entry.links)
        for counts, word in (
            (self.classes, entry.verdict.cls.value),
            (self.verdicts, entry.verdict.value),
            (self.kinds, entry.kind.value),
            (self.states, entry.state.value),
        ):
            counts[word] = counts.get(word, 0) + 1
        issues = [issue.issue.value for link in entry.links for issue in link.issues]
        for name in issues:
            self.issues[name] = self.issues.get(name, 0) + 1
        self.known |= {entry.known.value, entry.known.cls.value, entry.state.value, *issues}
        self.known |= {"issues"} if issues else set()


def problems(engine: sa.Engine, *, run: Run | None = None) -> list[Problem]:
    """What could not be read: by one run, or at the newest reading of each file."""
    table = schema.problem
    query = sa.select(table.c.path, table.c.line, table.c.reason)
    if run is not None:
        query = query.where(table.c.seen_run == run.id)
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(table.c.path, table.c.line, table.c.id))
        return [Problem(*row) for row in rows]


def runs(engine: sa.Engine) -> list[Run]:
    """All runs, the oldest first."""
    table = schema.run
    columns = (table.c.id, table.c.command, table.c.started_at, table.c.finished_at, table.c.ended)
    with engine.connect() as connection:
        return [Run(*row) for row in connection.execute(sa.select(*columns).order_by(table.c.id))]


def find(engine: sa.Engine, url: str) -> Entry | None:
    """The target with this request URL, or one that a link names with this text."""
    target, link = schema.target, schema.link
    by_text = sa.select(link.c.target_id).where(link.c.text == url)
    where = (target.c.url == url) | target.c.id.in_(by_text)
    query = sa.select(target.c.id).where(where).order_by(target.c.url != url)
    with engine.connect() as connection:
        key = connection.execute(query).scalar()
        if key is None:
            return None
        row = connection.execute(_entries_query(None, None).where(target.c.id == key)).mappings().first()
        if row is None:
            return None
        return replace(_entry(row, None), links=tuple(_links(connection, [key]).get(key, ())))


@dataclass(frozen=True, slots=True)
class Observation:
    """One finding of the past, in short."""

    run: int
    at: datetime
    verdict: Verdict
    status: int | None
    detail: str | None


def history(engine: sa.Engine, target_id: int) -> list[Observation]:
    """Every finding on a target, the oldest first."""
    table = schema.finding
    query = sa.select(table.c.run_id, table.c.checked_at, table.c.verdict, table.c.status, table.c.detail)
    query = query.where(table.c.target_id == target_id).order_by(table.c.run_id)
    with engine.connect() as connection:
        rows = connection.execute(query)
        return [Observation(run, at, Verdict(v), status, why) for run, at, v, status, why in rows]


def hops(engine: sa.Engine, run: int, target_id: int) -> list[Hop]:
    """The requests that led to a finding, in order; none for one that was fine at the first."""
    table = schema.hop
    query = sa.select(table).where(table.c.run_id == run, table.c.target_id == target_id)
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(table.c.number)).mappings()
        return [
            Hop(
                row["url"],
                row["method"],
                row["status"],
                row["error"],
                row["elapsed"],
                row["attempt"],
                row["address"],
            )
            for row in rows
        ]
