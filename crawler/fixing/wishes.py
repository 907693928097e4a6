"""Which links should say something else, by what was found of their targets. Pure.

A correction must be right beyond doubt: only of targets that are alive, only to where permanent
redirects lead, only to what was measured. What is left out has its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from crawler.amp_cache import parts
from crawler.urls import MASK, host_of, registrable
from storage.model import Class, Issue, Kind, Link, Picture, Size, State, Verdict
from storage.queries import Entry, EntryLink

SIZES: Final = frozenset({Issue.SIZE_MISMATCH, Issue.SIZE_ROTATED, Issue.SIZE_SCALED, Issue.DECLARED_INVALID})
SECRET: Final = f"{MASK}@"
CREDENTIALS: Final = "it holds a password, which is not stored"
ItemKey: TypeAlias = tuple[str, int, str]  # the path of a file, which of its records, which item


@dataclass(frozen=True, slots=True)
class Wish:
    """What one link should say: another `text`, or another `size` beside it."""

    path: str
    number: int
    link: Link
    text: str | None = None
    size: Size | None = None


@dataclass(frozen=True, slots=True)
class Skip:
    """A correction that is not made, and why not."""

    path: str
    link: Link
    reason: str


@dataclass(slots=True)
class Wishes:
    """What to change by file, and what was left out."""

    by_file: dict[str, list[Wish]] = field(default_factory=dict)
    skips: list[Skip] = field(default_factory=list)

    def add(self, wish: Wish) -> None:
        """Keep a wish with its file."""
        self.by_file.setdefault(wish.path, []).append(wish)


def gather(entries: Iterable[Entry], takes: Callable[[str], bool], *, other_domains: bool = False) -> Wishes:
    """The wishes for all links in files that `takes` names.

    `other_domains` also follows redirects to another registrable domain.
    """
    found, cdn, amp_alive = Wishes(), _Caches(), set[str]()
    for entry in entries:
        doubt = _doubt(entry)
        if doubt is None and entry.kind is Kind.AMP:
            amp_alive.add(entry.url.rstrip("/"))
        for one in entry.links:
            if takes(one.record):
                cdn.watch(one)
                for wish in (*_moves(entry, one, doubt, other=other_domains), *_sizes(entry, one, doubt)):
                    _put(found, wish)
    for wish in cdn.wishes(found, amp_alive):
        _put(found, wish)
    return found


def _put(found: Wishes, wish: Wish | Skip) -> None:
    if isinstance(wish, Wish):
        found.add(wish)
    else:
        found.skips.append(wish)


def _doubt(entry: Entry) -> str | None:
    """Why what was found of a target is not believed so far as to change a record; None if it is."""
    if entry.known.cls is not Class.ALIVE:
        return f"its target is {entry.known}"
    if entry.state is State.ALIVE:
        return None
    return f"its target is {'pinned ' if entry.pin else ''}{entry.state}"


def _moves(entry: Entry, one: EntryLink, doubt: str | None, *, other: bool) -> Iterator[Wish | Skip]:
    moved_to = entry.finding.moved_to if entry.finding else None
    # Where an AMP cache sends its reader is no URL of the cache.
    if entry.known is Verdict.MOVED and moved_to and one.link.kind is not Kind.AMP_CDN:
        why = doubt or _refusal(one.link.text, entry.url, moved_to, other_domains=other)
        text = moved_to + _fragment(one.link.text, moved_to)
        yield Skip(one.record, one.link, why) if why else _wish(one, text=text)


def _sizes(entry: Entry, one: EntryLink, doubt: str | None) -> Iterator[Wish | Skip]:
    wrong = {issue.issue for issue in one.issues} & SIZES
    if wrong:
        picture = entry.finding.picture if entry.finding else None
        size = picture.size if picture else None
        why = doubt or _unsure(one.link.text, picture, scaled=Issue.SIZE_SCALED in wrong)
        yield Skip(one.record, one.link, why) if why else _wish(one, size=size)


def _unsure(text: str, picture: Picture | None, *, scaled: bool) -> str | None:
    """Why a measured size is not written into the record; None if it is."""
    if SECRET in text:
        return CREDENTIALS
    if picture is None or picture.size is None:
        return "its size is not known"
    return "an SVG may be shown in any size" if scaled and picture.format == "SVG" else None


def _wish(one: EntryLink, text: str | None = None, size: Size | None = None) -> Wish:
    return Wish(one.record, one.number, one.link, text, size)


def _fragment(text: str, moved_to: str) -> str:
    """RFC 9110, 10.2.2: a redirect without a fragment inherits that of the link."""
    _, mark, fragment = text.partition("#")
    return f"{mark}{fragment}" if fragment and "#" not in moved_to else ""


def _refusal(text: str, url: str, moved_to: str, *, other_domains: bool) -> str | None:
    """Why a redirect is not followed into the record; None if it is."""
    if SECRET in text or SECRET in moved_to:
        return CREDENTIALS
    if not text.lower().startswith(("http://", "https://", "//")):
        return "it is relative"
    if url.startswith("https:") and not moved_to.startswith("https:"):
        return f"it leads from https to {moved_to}"
    if not other_domains and registrable(host_of(url)) != registrable(host_of(moved_to)):
        return f"it leads to another domain, {moved_to}: --other-domains follows it"
    if _is_front(moved_to) and not _is_front(url):
        return f"it leads to a front page, {moved_to}"
    return None


def _is_front(url: str) -> bool:
    return url.partition("://")[2].partition("/")[2] == ""


class _Caches:
    """AMP-CDN URLs to correct, once it is known which AMP URLs are alive and stay as they are."""

    def __init__(self) -> None:
        self._found: list[tuple[EntryLink, str]] = []

    def watch(self, one: EntryLink) -> None:
        """Keep a link whose AMP-CDN URL is not the expected one."""
        for issue in one.issues:
            if issue.issue is Issue.AMP_CACHE_URL and issue.expected:
                self._found.append((one, issue.expected))

    def wishes(self, found: Wishes, amp_alive: set[str]) -> Iterator[Wish | Skip]:
        """A wish, or a reason why not, for each."""
        moving = {
            (wish.path, wish.number, wish.link.item)
            for wishes in found.by_file.values()
            for wish in wishes
            if wish.text is not None and wish.link.kind is Kind.AMP
        }
        for one, expected in self._found:
            why = _cache_refusal(one, expected, moving, amp_alive)
            yield Skip(one.record, one.link, why) if why else _wish(one, text=expected)


def _cache_refusal(one: EntryLink, expected: str, moving: set[ItemKey], amp_alive: set[str]) -> str | None:
    page = parts(expected)
    if SECRET in one.link.text or SECRET in expected:
        return CREDENTIALS
    if (one.record, one.number, one.link.item) in moving:
        return "its AMP URL changes first: check again, and fix again"
    if page is None or page.url.rstrip("/") not in amp_alive:
        return "its AMP page is not known to be alive"
    return None
