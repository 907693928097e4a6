"""One target: everything known about it, and why its verdict is what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec
import sqlalchemy as sa
from msgspec import Meta

from crawler.dashboard.page import Page, Query
from crawler.dashboard.pictures import SHOWN
from crawler.errors import UrlError
from crawler.report.html.frames import Frames, frames
from crawler.report.severity import severity
from crawler.urls import masked, request_url
from storage import queries
from storage.model import Hop
from storage.queries import Entry, Observation

LINKS: Final = 200  # of one target that are shown
TWINS: Final = 5
CHECKS: Final = 300  # of the history that are drawn
SIGNS: Final = {"soft_404": "Signs of a soft 404", "parked": "Signs of a parked domain"}


class Done(StrEnum):
    """What a form has just done."""

    PINNED = "pinned"
    UNPINNED = "unpinned"
    DUE = "due"


class TargetQuery(Query, frozen=True, kw_only=True):
    """Which target."""

    url: Annotated[str, Meta(description="Its URL, as records say it or as it is requested.")] = ""
    id: Annotated[int | None, Meta(description="Its number, where the URL is too long for an address.")] = (
        None
    )
    done: Annotated[Done | None, Meta(description="What a form has just done.")] = None


@dataclass(frozen=True, slots=True)
class Target:
    """What is known of one target; `entry` is None if no record names the URL.

    `severity` is from 0 to 4. `more`: more links name it than the first 200, which are here.
    `history` is the oldest check first, `hops` the requests of the newest, none if it was fine at
    the first; `digest` is that of its picture where the cache has one, and `drawn` whether browsers
    may show it; `frames` are the sizes that records declare and the picture has not.
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
    frames: tuple[Frames, ...]

    @property
    def signs(self) -> Mapping[str, Mapping[str, Any]]:
        """The signs that were weighed, by title."""
        known = self._evidence
        return {title: known[name] for name, title in SIGNS.items() if isinstance(known.get(name), dict)}

    @property
    def tls(self) -> Mapping[str, Any] | None:
        """What is known of TLS."""
        known = self._evidence.get("tls")
        return known if isinstance(known, dict) else None

    @property
    def rest(self) -> Mapping[str, str]:
        """All other evidence, as JSON text."""
        shown = {*SIGNS, "tls"}
        return {
            name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
            for name, value in self._evidence.items()
            if name not in shown
        }

    @property
    def _evidence(self) -> Mapping[str, Any]:
        return self.entry.finding.evidence if self.entry is not None and self.entry.finding else {}


def target(engine: sa.Engine, query: TargetQuery) -> Target:
    """What is known of one target.

    Raises:
        LedgerError: the database cannot be read.
    """
    entry = _find(engine, query)
    if entry is None:
        return Target(masked(query.url), None, 0, False, (), (), (), None, False, ())
    history = queries.history(engine, entry.id)
    hops = queries.hops(engine, history[-1].run, entry.id) if history else []
    digest, drawn = _picture(entry)
    return Target(
        entry.url,
        entry,
        int(severity(entry)),
        len(entry.links) > LINKS,
        tuple(history[-CHECKS:]),
        tuple(hops),
        tuple(queries.twins(engine, f"sha256:{digest}", entry.id)[:TWINS]) if digest else (),
        digest,
        drawn,
        _frames(entry),
    )


def _find(engine: sa.Engine, query: TargetQuery) -> Entry | None:
    """The target of a URL as a person may write it, or of a number."""
    url, number = query.url, query.id
    for one in (number,) if number else dict.fromkeys((masked(url), masked(_requested(url)))):
        entry = queries.at(engine, one, most=LINKS + 1) if one else None
        if entry is not None:
            return entry
    return None


def _requested(url: str) -> str:
    try:
        return request_url(url)
    except UrlError:
        return url


def _picture(entry: Entry) -> tuple[str | None, bool]:
    picture = entry.finding.picture if entry.finding else None
    if picture is None or picture.digest is None:
        return None, False
    return picture.digest.removeprefix("sha256:"), picture.format in SHOWN


def _frames(entry: Entry) -> tuple[Frames, ...]:
    """One drawing for each size that is declared and wrong."""
    found: Sequence[Frames | None] = [frames(entry, one) for one in entry.links]
    return tuple(dict.fromkeys(one for one in found if one is not None))


TARGET = Page(
    name="target",
    title="Target",
    summary="Everything known about one target, and why its verdict is what it is.",
    template="target.html",
    query=TargetQuery,
    result=Target,
    data=target,
    menu=False,
)
