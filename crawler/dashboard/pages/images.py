"""The gallery: pictures of another size than records declare, stand-ins, and what else is odd of pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

import sqlalchemy as sa
from msgspec import Meta

from crawler.dashboard.image_files import INLINE_TYPES
from crawler.dashboard.page import DashboardPage, PagedQuery, Paging, paged
from crawler.report.descriptions import ISSUE_MEANS
from crawler.report.formats.html.frames import FrameDrawing, frame_drawing
from storage.frozen import frozen
from storage.model import Issue
from storage.queries import dashboard as queries
from storage.queries.dashboard import GalleryImage, GallerySection

IMAGES_PER_PAGE: Final = 24
SECTION_MEANINGS: Final[Mapping[GallerySection, str]] = {
    GallerySection.MISMATCHES: "What records say of their size is not so.",
    GallerySection.PLACEHOLDER: "The newest check took them for stand-ins.",
    GallerySection.SUSPECT: (
        "Each lies behind many URLs of different paths, so it may stand for nothing. If so, put its digest "
        "into [images] placeholders. 'linkhealth report --suspects' also counts the pages beside each."
    ),
    GallerySection.CHANGED: "Their bytes are others than a run before had kept; the newest change of each.",
    **{
        section: ISSUE_MEANS[Issue(section.value)]
        for section in GallerySection
        if section.value in set(Issue)
    },
}
Text = Annotated[str, Meta(max_length=2000, description="A part of the URL; case does not count.")]


class ImagesQuery(PagedQuery, frozen=True, kw_only=True):
    """Which pictures."""

    show: Annotated[GallerySection, Meta(description="What is wrong or odd with them.")] = (
        GallerySection.MISMATCHES
    )
    search: Text = ""

    @property
    def means(self) -> str:
        """What is shown, in a sentence."""
        return SECTION_MEANINGS[self.show]


@frozen
class GalleryCard:
    """One picture. `kept` is its digest where the cache has it, `drawn` whether browsers may show it.

    `frames` are those that a record declares and that of the picture, where both are known.
    """

    exhibit: GalleryImage
    kept: str | None
    drawn: bool
    frames: FrameDrawing | None


@frozen
class ImageGallery:
    """One page of pictures. `more`: there may be more than `paging.total`, which were not looked at."""

    paging: Paging
    more: bool
    images: tuple[GalleryCard, ...]


def images(engine: sa.Engine, query: ImagesQuery) -> ImageGallery:
    """One page of the pictures that fit.

    Raises:
        Beyond: there is no such page.
        LedgerError: the database cannot be read.
    """
    skip = (query.page - 1) * IMAGES_PER_PAGE
    gallery = queries.gallery(
        engine, query.show, search=query.search.strip(), limit=IMAGES_PER_PAGE, skip=skip
    )
    return ImageGallery(
        paged(query.page, gallery.total, IMAGES_PER_PAGE), gallery.more, tuple(map(_card, gallery.images))
    )


def _card(image: GalleryImage) -> GalleryCard:
    digest = image.digest.removeprefix("sha256:") if image.digest else None
    return GalleryCard(
        image,
        digest,
        image.format in INLINE_TYPES,
        frame_drawing(image.declared, image.picture.size if image.picture else None),
    )


IMAGES_PAGE = DashboardPage(
    name="images",
    title="Images",
    summary="A gallery: pictures of another size than declared, stand-ins, changed ones.",
    template="images.html",
    query=ImagesQuery,
    result=ImageGallery,
    data=images,
)
