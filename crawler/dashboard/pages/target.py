"""One target: everything known about it, and why its verdict is what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Final

import msgspec
import sqlalchemy as sa
from msgspec import Meta

from crawler.dashboard.image_files import INLINE_TYPES
from crawler.dashboard.page import DashboardPage, PageQuery
from crawler.report.formats.html.frames import FrameDrawing, link_frames
from crawler.report.scores import scores
from crawler.report.severity import severity
from crawler.urls import masked, typed_url
from storage.edits import EditEvent, edits_of
from storage.frozen import frozen
from storage.model import Evidence, Hop, ScoreEvidence, TlsEvidence
from storage.queries import report as queries
from storage.queries.report import Entry, Observation

MAX_TARGET_LINKS: Final = 200  # of one target that are shown
MAX_TWINS: Final = 5
MAX_CHECKS: Final = 300  # of the history that are drawn


class FormResult(StrEnum):
    """What a form has just done."""

    PINNED = "pinned"
    UNPINNED = "unpinned"
    DUE = "due"


class TargetQuery(PageQuery, frozen=True, kw_only=True):
    """Which target."""

    url: Annotated[str, Meta(description="Its URL, as records say it or as it is requested.")] = ""
    id: Annotated[int | None, Meta(description="Its number, where the URL is too long for an address.")] = (
        None
    )
    done: Annotated[FormResult | None, Meta(description="What a form has just done.")] = None


@frozen
class TargetDetails:
    """What is known of one target; `entry` is None if no record names the URL.

    `severity` is from 0 to 4. `more`: more links name it than the first 200, which are here.
    `history` is the oldest check first, `hops` the requests of the newest, none if it was fine at
    the first; `digest` is that of its picture where the cache has one, and `drawn` whether browsers
    may show it; `frames` are the sizes that records declare and the picture has not. `edits` are
    what `fix` wrote for its sake, the oldest first.
    """

    url: str
    entry: Entry | None
    severity: int
    more: bool
    history: tuple[Observation, ...]
    hops: tuple[Hop, ...]
    twins: tuple[str, ...]
    digest: str | None
    drawn: bool
    frames: tuple[FrameDrawing, ...]
    edits: tuple[EditEvent, ...] = ()

    @property
    def scores(self) -> Mapping[str, ScoreEvidence]:
        """The scores of the page, by title."""
        return scores(self._evidence)

    @property
    def tls(self) -> TlsEvidence | None:
        """What is known of TLS."""
        return self._evidence.tls

    @property
    def rest(self) -> Mapping[str, str]:
        """All other evidence, as JSON text."""
        return {
            name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
            for name, value in msgspec.to_builtins(self._evidence).items()
            if name not in {"soft_404", "parked", "tls"}
        }

    @property
    def _evidence(self) -> Evidence:
        return self.entry.finding.evidence if self.entry is not None and self.entry.finding else Evidence()


def target(engine: sa.Engine, query: TargetQuery) -> TargetDetails:
    """What is known of one target.

    Raises:
        LedgerError: the database cannot be read.
    """
    entry = _find(engine, query)
    if entry is None:
        return TargetDetails(masked(query.url), None, 0, False, (), (), (), None, False, ())
    history = queries.history(engine, entry.id)
    hops = queries.hops(engine, history[-1].run, entry.id) if history else []
    digest, drawable = _picture(entry)
    return TargetDetails(
        entry.url,
        entry,
        int(severity(entry)),
        len(entry.links) > MAX_TARGET_LINKS,
        tuple(history[-MAX_CHECKS:]),
        tuple(hops),
        tuple(queries.same_image_urls(engine, f"sha256:{digest}", entry.id)[:MAX_TWINS]) if digest else (),
        digest,
        drawable,
        _frames(entry),
        tuple(edits_of(engine, entry.url)),
    )


def _find(engine: sa.Engine, query: TargetQuery) -> Entry | None:
    """The target of a URL as a person may write it, or of a number."""
    url, number = query.url, query.id
    for key in (number,) if number else dict.fromkeys((masked(url), masked(typed_url(url)))):
        entry = queries.at(engine, key, limit=MAX_TARGET_LINKS + 1) if key else None
        if entry is not None:
            return entry
    return None


def _picture(entry: Entry) -> tuple[str | None, bool]:
    picture = entry.finding.picture if entry.finding else None
    if picture is None or picture.digest is None:
        return None, False
    return picture.digest.removeprefix("sha256:"), picture.format in INLINE_TYPES


def _frames(entry: Entry) -> tuple[FrameDrawing, ...]:
    """One drawing for each size that is declared and wrong."""
    drawings: Sequence[FrameDrawing | None] = [link_frames(entry, link) for link in entry.links]
    return tuple(dict.fromkeys(drawing for drawing in drawings if drawing is not None))


TARGET_PAGE = DashboardPage(
    name="target",
    title="Target",
    summary="Everything known about one target, and why its verdict is what it is.",
    template="target.html",
    query=TargetQuery,
    result=TargetDetails,
    data=target,
    menu=False,
)
