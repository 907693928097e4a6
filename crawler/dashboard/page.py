"""What a page is: where its data comes from, what may be asked of it, how it looks.

The same data goes out as HTML at `/NAME`, and as JSON at `/api/NAME`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Generic, TypeAlias, TypeVar

import msgspec
import sqlalchemy as sa
from msgspec import Meta, Struct

from storage.frozen import frozen

MAX_PAGE_NUMBER: Final = 1_000_000  # no page beyond it is worth a query


class PageQuery(Struct, frozen=True, kw_only=True):
    """The parent of what may be asked of a page: each field is a parameter, and has a default."""


class PagedQuery(PageQuery, frozen=True, kw_only=True):
    """What may be asked of a page that is one of many."""

    page: Annotated[int, Meta(ge=1, le=MAX_PAGE_NUMBER, description="Which page, from 1.")] = 1


QueryType = TypeVar("QueryType", bound=PageQuery)


@frozen
class DashboardPage(Generic[QueryType]):
    """One page of the dashboard.

    `name` is its path ("" for the overview), `title` what the menu says, `summary` one sentence for
    the description of the API. `data` runs in a thread; what it returns (a frozen dataclass or
    struct that msgspec can encode) is `data` in the template. `result` is the type of that.
    `menu`: whether the menu leads here.
    """

    name: str
    title: str
    summary: str
    template: str
    query: type[QueryType]
    result: type
    data: Callable[[sa.Engine, QueryType], object]
    menu: bool = True

    @property
    def path(self) -> str:
        """Where the page is."""
        return f"/{self.name}"

    @property
    def api(self) -> str:
        """Where its data is."""
        return f"/api/{self.name or 'overview'}"


AnyPage: TypeAlias = "DashboardPage[Any]"  # of any query: a list of pages holds many kinds


@frozen
class Paging:
    """Which part of a long list is shown: page `page` of `pages`, `total` rows in all, `size` a page."""

    page: int
    pages: int
    total: int
    size: int


class NotFound(Exception):
    """There is no such thing; the text says what was looked for, and what to do instead."""


class PageOutOfRange(Exception):
    """The page asked for comes after the last, which is `last`."""

    def __init__(self, page: int, last: int) -> None:
        super().__init__(f"there is no page {page}: the last is {last}")
        self.last = last


def paged(page: int, total: int, size: int) -> Paging:
    """Where a page lies in a list of `total` rows; an empty list has one page.

    Raises:
        Beyond: it has no such page.
    """
    pages = max(1, -(-total // size))
    if page > pages:
        raise PageOutOfRange(page, pages)
    return Paging(page, pages, total, size)


def encoded(data: object) -> bytes:
    """The data as JSON."""
    return msgspec.json.encode(data)
