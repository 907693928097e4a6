"""The gallery: pictures of another size than records declare, stand-ins, and what else is odd of pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

import sqlalchemy as sa
from msgspec import Meta

from crawler.dashboard.page import Page, Paged, Paging, paged
from crawler.dashboard.pictures import SHOWN
from crawler.report.html.frames import Frames, drawn
from crawler.report.meanings import ISSUE_MEANS
from storage import queries
from storage.model import Issue
from storage.queries import Exhibit, Section

SIZE: Final = 24
MEANS: Final[Mapping[Section, str]] = {
    Section.MISMATCHES: "What records say of their size is not so.",
    Section.PLACEHOLDER: "The newest check took them for stand-ins.",
    Section.SUSPECT: (
        "Each lies behind many URLs of different paths, so it may stand for nothing. If so, put its digest "
        "into [images] placeholders. 'linkhealth report --suspects' also counts the pages beside each."
    ),
    Section.CHANGED: "Their bytes are others than a run before had kept; the newest change of each.",
    **{one: ISSUE_MEANS[Issue(one.value)] for one in Section if one.value in set(Issue)},
}
Text = Annotated[str, Meta(max_length=2000, description="A part of the URL; case does not count.")]


class ImagesQuery(Paged, frozen=True, kw_only=True):
    """Which pictures."""

    show: Annotated[Section, Meta(description="What is wrong or odd with them.")] = Section.MISMATCHES
    search: Text = ""

    @property
    def means(self) -> str:
        """What is shown, in a sentence."""
        return MEANS[self.show]


@dataclass(frozen=True, slots=True)
class Hung:
    """One picture. `kept` is its digest where the cache has it, `drawn` whether browsers may show it.

    `frames` are those that a record declares and that of the picture, where both are known.
    """

    exhibit: Exhibit
    kept: str | None
    drawn: bool
    frames: Frames | None


@dataclass(frozen=True, slots=True)
class Images:
    """One page of pictures. `more`: there may be more than `paging.total`, which were not looked at."""

    paging: Paging
    more: bool
    images: tuple[Hung, ...]


def images(engine: sa.Engine, query: ImagesQuery) -> Images:
    """One page of the pictures that fit.

    Raises:
        Beyond: there is no such page.
        LedgerError: the database cannot be read.
    """
    skip = (query.page - 1) * SIZE
    found = queries.gallery(engine, query.show, search=query.search.strip(), most=SIZE, skip=skip)
    return Images(paged(query.page, found.total, SIZE), found.more, tuple(map(_hung, found.exhibits)))


def _hung(one: Exhibit) -> Hung:
    kept = one.digest.removeprefix("sha256:") if one.digest else None
    return Hung(
        one, kept, one.format in SHOWN, drawn(one.declared, one.picture.size if one.picture else None)
    )


IMAGES = Page(
    name="images",
    title="Images",
    summary="A gallery: pictures of another size than declared, stand-ins, changed ones.",
    template="images.html",
    query=ImagesQuery,
    result=Images,
    data=images,
)
