"""The records with something wrong, the worst first, each with what its items lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import sqlalchemy as sa
from msgspec import Meta

from crawler.dashboard.page import Missing, Page, Paged, Paging, paged
from crawler.dashboard.pages.links import Bad
from crawler.report.losses import Item
from crawler.report.record_view import sentence
from crawler.report.severity import Severity
from storage import queries
from storage.model import Kind, Problem
from storage.queries import LinkRow, Share, Weighed

SIZE: Final = 25
FAULTS: Final = 10  # links of a record that the list shows; its own page shows all
LINKS: Final = 100  # links on one page of a record
PROBLEMS: Final = 20
Path = Annotated[str, Meta(max_length=2000)]


class RecordsQuery(Paged, frozen=True, kw_only=True):
    """Which records are shown."""

    record: Annotated[Path, Meta(description="How the path of a record begins.")] = ""
    severity: tuple[Bad, ...] = ()


@dataclass(frozen=True, slots=True)
class Lost:
    """One item of a record ("" for the record itself): links by kind, how many are lost, and in words."""

    item: str
    of: dict[Kind, int]
    lost: dict[Kind, int]
    words: str


@dataclass(frozen=True, slots=True)
class Faulty:
    """One record: its items that have something wrong, and the first of its links that have."""

    record: Weighed
    items: tuple[Lost, ...]
    links: tuple[LinkRow, ...]


@dataclass(frozen=True, slots=True)
class Records:
    """One page of records, the worst first; `problems` are the first files that could not be read."""

    paging: Paging
    records: tuple[Faulty, ...]
    problems: tuple[Problem, ...]


def records(engine: sa.Engine, query: RecordsQuery) -> Records:
    """One page of the records with something wrong.

    Raises:
        Beyond: there is no such page.
        LedgerError: the database cannot be read.
    """
    severities = [int(Severity[word.name]) for word in query.severity]
    total = queries.count_weighed(engine, prefix=query.record, severities=severities)
    paging, skip = paged(query.page, total, SIZE), (query.page - 1) * SIZE
    some = queries.weighed(engine, prefix=query.record, severities=severities, most=SIZE, skip=skip)
    keys = [one.id for one in some]
    links, shares = queries.faults(engine, keys, most=FAULTS), queries.shares(engine, keys)
    made = (Faulty(one, _items(links[one.id], shares[one.id]), tuple(links[one.id])) for one in some)
    first = query.page == 1
    return Records(
        paging, tuple(made), tuple(queries.newest_problems(engine, most=PROBLEMS)) if first else ()
    )


def _items(links: Sequence[LinkRow], shares: Sequence[Share]) -> tuple[Lost, ...]:
    """The items that these links stand in, or that lost something."""
    named = {one.item for one in links} | {one.item for one in shares if one.lost}
    return tuple(lost(name, shares) for name in dict.fromkeys(one.item for one in shares) if name in named)


def lost(name: str, shares: Sequence[Share]) -> Lost:
    """What one item lost, and what is left of it."""
    own = [one for one in shares if one.item == name]
    item = Item(name)
    item.links = {one.kind: one.links for one in own}
    item.lost = {one.kind: one.lost for one in own if one.lost}
    return Lost(name, item.links, item.lost, sentence(item))


class RecordQuery(Paged, frozen=True, kw_only=True):
    """Which record, and which part of its links."""

    path: Annotated[Path, Meta(description="The path of its file, as the run was told.")] = ""
    number: Annotated[int, Meta(ge=0, le=10**9, description="Which record of the file, from 0.")] = 0


@dataclass(frozen=True, slots=True)
class OneRecord:
    """One record with a part of its links, in the order of the text."""

    paging: Paging
    record: Weighed
    items: tuple[Lost, ...]
    links: tuple[LinkRow, ...]
    problems: tuple[Problem, ...]


def record(engine: sa.Engine, query: RecordQuery) -> OneRecord:
    """One record and a part of its links.

    Raises:
        Missing: no such record was read.
        Beyond: there is no such page.
        LedgerError: the database cannot be read.
    """
    found = queries.one_weighed(engine, query.path, query.number)
    if found is None:
        raise Missing(
            f"No record {query.path} has a link, as of the last reading: 'linkhealth audit' reads them."
        )
    shares = queries.shares(engine, [found.id])[found.id]
    paging = paged(query.page, sum(one.links for one in shares), LINKS)
    links = queries.links_of(engine, found.id, most=LINKS, skip=(query.page - 1) * LINKS)
    items = tuple(lost(name, shares) for name in dict.fromkeys(one.item for one in shares if one.lost))
    problems = queries.newest_problems(engine, path=query.path, most=PROBLEMS)
    return OneRecord(paging, found, items, tuple(links), tuple(problems))


RECORDS = Page(
    name="records",
    title="Records",
    summary="The records with something wrong, the worst first, and what each item lost.",
    template="records.html",
    query=RecordsQuery,
    result=Records,
    data=records,
)
RECORD = Page(
    name="record",
    title="Record",
    summary="One record with all its links.",
    template="record.html",
    query=RecordQuery,
    result=OneRecord,
    data=record,
    menu=False,
)
