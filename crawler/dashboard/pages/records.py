"""The records with something wrong, the worst first, each with what its items lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import sqlalchemy as sa
from msgspec import Meta

from crawler.dashboard.page import DashboardPage, NotFound, PagedQuery, Paging, paged
from crawler.dashboard.pages.links import SeverityFilter
from crawler.report.severity import Severity
from crawler.report.views.record_losses import ItemLosses
from crawler.report.views.records import sentence
from storage.frozen import frozen
from storage.model import Kind, RecordProblem
from storage.queries import dashboard as queries
from storage.queries.dashboard import ItemCount, LinkRow, RankedRecord

RECORDS_PER_PAGE: Final = 25
FAULTS_PER_RECORD: Final = 10  # links of a record that the list shows; its own page shows all
LINKS_PER_PAGE: Final = 100  # links on one page of a record
MAX_RECORD_PROBLEMS: Final = 20
Path = Annotated[str, Meta(max_length=2000)]


class RecordsQuery(PagedQuery, frozen=True, kw_only=True):
    """Which records are shown."""

    record: Annotated[Path, Meta(description="How the path of a record begins.")] = ""
    severity: tuple[SeverityFilter, ...] = ()


@frozen
class ItemRow:
    """One item of a record ("" for the record itself): links by kind, how many are lost, and in words."""

    item: str
    of: dict[Kind, int]
    lost: dict[Kind, int]
    words: str


@frozen
class RecordRow:
    """One record: its items that have something wrong, and the first of its links that have."""

    record: RankedRecord
    items: tuple[ItemRow, ...]
    links: tuple[LinkRow, ...]


@frozen
class RecordList:
    """One page of records, the worst first; `problems` are the first files that could not be read."""

    paging: Paging
    records: tuple[RecordRow, ...]
    problems: tuple[RecordProblem, ...]


def records(engine: sa.Engine, query: RecordsQuery) -> RecordList:
    """One page of the records with something wrong.

    Raises:
        Beyond: there is no such page.
        LedgerError: the database cannot be read.
    """
    severities = [int(Severity[word.name]) for word in query.severity]
    total = queries.count_weighed(engine, prefix=query.record, severities=severities)
    paging, skip = paged(query.page, total, RECORDS_PER_PAGE), (query.page - 1) * RECORDS_PER_PAGE
    ranked_records = queries.weighed(
        engine, prefix=query.record, severities=severities, limit=RECORDS_PER_PAGE, skip=skip
    )
    keys = [record_rank.id for record_rank in ranked_records]
    links, shares = queries.faults(engine, keys, limit=FAULTS_PER_RECORD), queries.shares(engine, keys)
    rows = (
        RecordRow(
            record_rank, _items(links[record_rank.id], shares[record_rank.id]), tuple(links[record_rank.id])
        )
        for record_rank in ranked_records
    )
    first = query.page == 1
    return RecordList(
        paging,
        tuple(rows),
        tuple(queries.newest_problems(engine, limit=MAX_RECORD_PROBLEMS)) if first else (),
    )


def _items(links: Sequence[LinkRow], shares: Sequence[ItemCount]) -> tuple[ItemRow, ...]:
    """The items that these links stand in, or that lost something."""
    names = {entry.item for entry in links} | {entry.item for entry in shares if entry.lost}
    return tuple(
        item_row(name, shares) for name in dict.fromkeys(entry.item for entry in shares) if name in names
    )


def item_row(name: str, shares: Sequence[ItemCount]) -> ItemRow:
    """What one item lost, and what is left of it."""
    item_shares = [share for share in shares if share.item == name]
    item = ItemLosses(name)
    item.links = {share.kind: share.links for share in item_shares}
    item.lost = {share.kind: share.lost for share in item_shares if share.lost}
    return ItemRow(name, item.links, item.lost, sentence(item))


class RecordQuery(PagedQuery, frozen=True, kw_only=True):
    """Which record, and which part of its links."""

    path: Annotated[Path, Meta(description="The path of its file, as the run read it.")] = ""
    number: Annotated[int, Meta(ge=0, le=10**9, description="Which record of the file, from 0.")] = 0


@frozen
class RecordDetails:
    """One record with a part of its links, in the order of the text."""

    paging: Paging
    record: RankedRecord
    items: tuple[ItemRow, ...]
    links: tuple[LinkRow, ...]
    problems: tuple[RecordProblem, ...]


def record(engine: sa.Engine, query: RecordQuery) -> RecordDetails:
    """One record and a part of its links.

    Raises:
        Missing: no such record was read.
        Beyond: there is no such page.
        LedgerError: the database cannot be read.
    """
    record_rank = queries.one_weighed(engine, query.path, query.number)
    if record_rank is None:
        raise NotFound(
            f"No record {query.path} has a link, as of the last reading: 'linkhealth audit' reads them."
        )
    shares = queries.shares(engine, [record_rank.id])[record_rank.id]
    paging = paged(query.page, sum(share.links for share in shares), LINKS_PER_PAGE)
    links = queries.links_of(
        engine, record_rank.id, limit=LINKS_PER_PAGE, skip=(query.page - 1) * LINKS_PER_PAGE
    )
    items = tuple(
        item_row(name, shares) for name in dict.fromkeys(share.item for share in shares if share.lost)
    )
    problems = queries.newest_problems(engine, path=query.path, limit=MAX_RECORD_PROBLEMS)
    return RecordDetails(paging, record_rank, items, tuple(links), tuple(problems))


RECORDS_PAGE = DashboardPage(
    name="records",
    title="Records",
    summary="The records with something wrong, the worst first, and what each item lost.",
    template="records.html",
    query=RecordsQuery,
    result=RecordList,
    data=records,
)
RECORD_PAGE = DashboardPage(
    name="record",
    title="Record",
    summary="One record with all its links.",
    template="record.html",
    query=RecordQuery,
    result=RecordDetails,
    data=record,
    menu=False,
)
