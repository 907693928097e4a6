"""Whether a page that answers 200 is the site's "not found" page: evidence that adds up.

Each sign has points; `THRESHOLD` of them make a soft 404. docs/verdicts.md has the same table. What
the site's structure says comes first: where a deep URL was led to, and what the site says of a
sibling that cannot exist (the probe). Words come last, and a page that shows itself to be an
article, or a gate before one, weighs against all of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urljoin

from crawler.checks import places
from crawler.checks.fingerprint import (
    Fingerprint,
    fingerprint,
    fold,
    likeness,
    own_pairs,
    same_title,
    same_words,
    says,
    words,
)
from crawler.checks.gates import gate
from crawler.checks.html import Page
from crawler.data import table
from crawler.urls import host_of

THRESHOLD: Final = 60
DOUBT: Final = 15  # points that are worth a probe
ABSENT: Final = frozenset({404, 410})  # the statuses that say that a page is not there
SAME, NEAR = 0.9, 0.7  # likeness of the words of two pages
FEW: Final = 15  # pairs of words; a page with more of its own says something that its site does not
SHELL: Final = 30  # words; a page with fewer is drawn by its scripts, and looks like all others
BEGINNING: Final = 4000  # characters in which a page says what it is about
LONG: Final = 400  # words; a page with more says other things than "not found"
OWN: Final = 2  # words of the URL that the title of a page repeats

# What parts the name of a page from that of its site: bars, dashes with spaces around them, dots, arrows.
PARTING: Final = re.compile(r"[|\u00b7\u00bb:\u2022/\u2013\u2014]|\s-\s")
PHRASES: Final = tuple(fold(phrase) for said in table("not_found").values() for phrase in said["phrases"])
TITLES: Final = frozenset(fold(title) for said in table("not_found").values() for title in said["titles"])
ARTICLE_TYPES: Final = ("article", "newsarticle", "reportagenewsarticle", "blogposting", "liveblogposting")


@dataclass(frozen=True, slots=True)
class Seen:
    """How a page was reached, and what it says: `asked`, then `hops`, the last one its own URL."""

    asked: str
    hops: tuple[str, ...]
    page: Page | None = None

    @property
    def final(self) -> str:
        """The URL that answered."""
        return self.hops[-1] if self.hops else self.asked

    @property
    def led(self) -> bool:
        """Whether it was redirected to another place, not only to another scheme or host."""
        return not places.same_path(self.asked, self.final)


@dataclass(frozen=True, slots=True)
class Probed:
    """What a site says of a page that cannot exist: the last URL and status, and its fingerprint.

    `telling` is whether pages can be compared with it: one that says next to nothing is like many;
    `phrase` is the one by which its few words say that it is not there; `asked_at` is when an earlier
    run asked (UTC), None for this one.
    """

    asked: str
    final: str
    status: int
    print: Fingerprint | None = None
    telling: bool = False
    phrase: str | None = None
    asked_at: datetime | None = None

    @property
    def honest(self) -> bool:
        """Whether it says that the page is not there."""
        return self.status in ABSENT

    @property
    def fine(self) -> bool:
        """Whether it says that the page is there."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the class of success

    @property
    def led(self) -> bool:
        """Whether it was redirected to another place."""
        return not places.same_path(self.asked, self.final)


Signs = Iterator[tuple[str, int]]


def weigh(seen: Seen, probe: Probed | None) -> dict[str, int]:
    """The signs for and against a soft 404, with their points."""
    if not places.is_deep(seen.asked):
        return {}
    signs = dict(_structure(seen, probe))
    if seen.page is None:
        return signs
    said = dict(_words(seen))
    spoken = bool(said)
    alike = dict(_likeness(print_of(seen), probe, spoken=spoken))
    if probe is not None and probe.phrase is not None and probe.phrase == phrase_of(seen):
        alike["says so in the words of a page that cannot exist"] = 20
    if alike and is_stranger(seen):
        alike["it says nothing of what its URL names"] = 15
    return {**signs, **alike, **said, **dict(_against(seen, seen.page, probe, spoken=spoken))}


def tells(seen: Seen) -> bool:
    """Whether a page has enough to say, or says so plainly, that others can be compared with it."""
    own = print_of(seen)
    return own is not None and (own.words >= SHELL or bool(dict(_words(seen))))


def is_stranger(seen: Seen) -> bool:
    """Whether a page says nothing of what its URL names in three words or more."""
    named = {name for name in places.names(seen.asked) if name.isascii()}
    if seen.page is None or len(named) < places.SLUG:
        return False
    said = words(" ".join((seen.page.title, *seen.page.headings, seen.page.text[:BEGINNING])))
    return any(word.isascii() for word in words(seen.page.title)) and named.isdisjoint(said)


def _structure(seen: Seen, probe: Probed | None) -> Signs:
    if not seen.led:
        return
    same_site = host_of(seen.asked).removeprefix("www.") == host_of(seen.final).removeprefix("www.")
    if places.is_nowhere(seen.final):
        yield "led to an error page", 50
    elif places.is_search(seen.final) and not places.is_search(seen.asked):
        yield "led to a search page", 40
    elif places.is_root(seen.final):
        yield "led to the front page", 45 if same_site else 25
        if places.is_slug(seen.asked):
            yield "named an article", 20
    elif places.is_section(seen.final, seen.asked):
        yield "led to its section", 30
    if probe is not None and probe.led and same_end(probe.final, seen.final):
        yield "led where a page that cannot exist is led", 35


def same_end(one: str, other: str) -> bool:
    """Whether two chains end at the same place, or both at a search."""
    return places.same_path(one, other) or (places.is_search(one) and places.is_search(other))


def print_of(seen: Seen) -> Fingerprint | None:
    """The fingerprint of a page that was read."""
    return None if seen.page is None else fingerprint(seen.page, seen.asked)


def _likeness(own: Fingerprint | None, probe: Probed | None, *, spoken: bool) -> Signs:
    other = probe.print if probe is not None else None
    if own is None or other is None:
        return
    if (own.words < SHELL or other.words < SHELL) and not spoken:
        return
    alike = same_words(own, other)
    if alike >= SAME and own_pairs(own, other) <= FEW:
        yield "the same words as a page that cannot exist", 40
    elif alike >= NEAR:
        yield "nearly the words of a page that cannot exist", 20
    if same_title(own, other):
        yield "the same title as a page that cannot exist", 20
    if likeness(own.shape, other.shape) >= SAME:
        yield "built like a page that cannot exist", 10
    if own.heading and own.heading == other.heading:
        yield "the same heading as a page that cannot exist", 15
    elif len(set(own.heading) - set(other.heading)) >= OWN:
        yield "a heading of its own", -30


def _words(seen: Seen) -> Signs:
    page = seen.page
    if page is None or _is_about(seen.asked):
        return
    if not seen.led and canonical_is_root(page, seen.final):
        yield "its canonical link is the front page", 25
    title, headings = fold(page.title), [fold(line) for line in page.headings]
    if _says_not_found(title):
        yield "the title says so", 35
    if any(_says_not_found(line) for line in headings):
        yield "a heading says so", 25
    if phrase_of(seen) is not None:
        yield "its few words say so", 15
    if any("404" in re.findall(r"\w+", line) for line in (title, *headings)):
        yield "names the status 404", 15


def phrase_of(seen: Seen) -> str | None:
    """The phrase by which a page of few words says that it is not there, if any."""
    if seen.page is None or len(words(seen.page.text)) >= LONG:
        return None
    return says(fold(seen.page.text), PHRASES)


def _is_about(url: str) -> bool:
    """Whether a URL itself speaks of what is not found."""
    named = " ".join(places.segments(url)[-1:])
    return "404" in re.findall(r"\d+", named) or "not-found" in named or "notfound" in named


def _says_not_found(line: str) -> bool:
    pieces = {piece.strip(" .!?\u20260123456789#") for piece in PARTING.split(line)}
    return says(line, PHRASES) is not None or not TITLES.isdisjoint(pieces)


def _against(seen: Seen, page: Page, probe: Probed | None, *, spoken: bool) -> Signs:
    barred = None if spoken else gate(page, seen.hops)
    if barred is not None:
        yield f"a gate: {barred}", -200
    if is_article(page):
        yield "says that it is an article", -40
    lines = page.title if spoken else " ".join((page.title, *page.headings))
    if len(set(words(lines)) & places.names(seen.asked)) >= OWN:
        yield "its title or heading is what the URL names", -30
    if probe is not None and probe.honest and not seen.led:
        yield "the site says 404 where it means it", -30


def is_article(page: Page) -> bool:
    """Whether a page says of itself, for machines, that it is an article."""
    if page.meta.get("article:published_time") or page.meta.get("og:type", "").lower() == "article":
        return True
    data = "".join(page.data.casefold().split())
    return any(f'"@type":"{name}"' in data for name in ARTICLE_TYPES)


def canonical_is_root(page: Page, url: str) -> bool:
    """Whether a page names the front page as its canonical one."""
    links: Sequence[str] = [href for rel, href in page.links if "canonical" in rel.split() and href]
    return bool(links) and places.is_root(urljoin(url, links[0]))
