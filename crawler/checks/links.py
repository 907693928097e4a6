"""What is wrong with a link, beside the verdict of its target. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from crawler.amp_cache import cache_url, parts, same_url
from crawler.checks.fragments import KEY, fragment_of
from crawler.checks.pairs import pairing
from crawler.errors import UrlError
from crawler.urls import request_url
from storage.model import Class, Declared, Issue, Kind, LinkIssue, Picture, Size, Verdict
from storage.settling import Placed

SAME_RATIO: Final = 0.01  # contract: the same aspect ratio within 1 %


@dataclass(frozen=True, slots=True)
class LinkRules:
    """Pixels that a size may be off, whether AMP pairs are judged, and what relative URLs stand on.

    `cache`: this run kept images, so what is not in the cache now could not be had.
    """

    tolerance: int = 0
    amp: bool = True
    base_url: str | None = None
    cache: bool = False


def link_issues(record: Sequence[Placed], rules: LinkRules) -> dict[int, list[LinkIssue]]:
    """The issues of every link of one record, by the id of the link."""
    found: dict[int, list[LinkIssue]] = {}
    for placed in record:
        beside = (*_scheme_issues(placed), *_fragment_issues(placed))
        found[placed.id] = [*_of_kind(placed, record, rules), *beside]
    return {key: issues for key, issues in found.items() if issues}


def _of_kind(placed: Placed, record: Sequence[Placed], rules: LinkRules) -> list[LinkIssue]:
    link = placed.link
    if link.kind is Kind.IMAGE and link.declared is not None:
        sizes = size_issues(link.declared, _judged_picture(placed), rules.tolerance)
        return [*sizes, *_cache_issues(placed, rules)]
    if link.kind is Kind.AMP_CDN and rules.amp:
        return _amp_issues(placed, record, rules)
    return pairing(placed, record) if link.kind is Kind.AMP and rules.amp else []


def _scheme_issues(placed: Placed) -> list[LinkIssue]:
    """Tell of an http link that answers on https; only a run that tries https knows."""
    secure = placed.evidence.get("https")
    return [LinkIssue(Issue.INSECURE_SCHEME, secure, placed.link.text)] if isinstance(secure, str) else []


def _fragment_issues(placed: Placed) -> list[LinkIssue]:
    """Tell of a part that a link names and its page has not; only a run that looks for parts knows."""
    absent = placed.evidence.get(KEY, {}).get("missing", {})
    fragment = fragment_of(placed.link.text)
    alive = placed.verdict is not None and placed.verdict.cls is Class.ALIVE
    if placed.link.kind is not Kind.WEB or not alive or fragment is None or fragment not in absent:
        return []
    return [LinkIssue(Issue.FRAGMENT_MISSING, fragment, absent[fragment])]


def _judged_picture(placed: Placed) -> Picture | None:
    """The picture whose size counts; that of a stand-in says nothing."""
    return None if placed.verdict is Verdict.PLACEHOLDER else placed.picture


def _cache_issues(placed: Placed, rules: LinkRules) -> list[LinkIssue]:
    """What the record says of the cache, if it is not so; an audit knows only what was said before."""
    declared = placed.link.declared
    if declared is None or not declared.cached or placed.cached or not (rules.cache or placed.stale):
        return []
    return [LinkIssue(Issue.CACHE_STALE, "in the cache", "not in the cache")]


def size_issues(declared: Declared, picture: Picture | None, tolerance: int) -> list[LinkIssue]:
    """Compare what a record says of an image with what it is."""
    invalid = [
        LinkIssue(Issue.DECLARED_INVALID, "a positive integer", f"{name}: {value}")
        for name, value in (("width", declared.width), ("height", declared.height))
        if isinstance(value, str)
    ]
    if invalid or picture is None or picture.size is None:
        return invalid
    issue = _size_issue(declared, picture, tolerance)
    if issue is None:
        return []
    said = f"{declared.width or '?'}x{declared.height or '?'}"
    return [LinkIssue(issue, said, str(picture.size))]


def _size_issue(declared: Declared, picture: Picture, tolerance: int) -> Issue | None:
    if picture.size is None or _fits(declared, picture.size, tolerance):
        return None
    if picture.stored is not None and _fits(declared, picture.stored, tolerance):
        return Issue.SIZE_ROTATED
    return Issue.SIZE_SCALED if _same_ratio(declared, picture.size) else Issue.SIZE_MISMATCH


def _fits(declared: Declared, size: Size, tolerance: int) -> bool:
    pairs = ((declared.width, size.width), (declared.height, size.height))
    return all(not isinstance(said, int) or abs(said - is_) <= tolerance for said, is_ in pairs)


def _same_ratio(declared: Declared, size: Size) -> bool:
    if not isinstance(declared.width, int) or not isinstance(declared.height, int):
        return False
    said, is_ = declared.width / declared.height, size.width / size.height
    return abs(said - is_) <= SAME_RATIO * is_


def _amp_issues(placed: Placed, record: Sequence[Placed], rules: LinkRules) -> list[LinkIssue]:
    """Compare an AMP-CDN URL with the one that the item's AMP URL leads to."""
    item = placed.link.item
    pair = [one for one in record if one.link.item == item and one.link.kind is Kind.AMP]
    found = parts(placed.url)
    serving = found.serving if found is not None else "c"
    urls = (_expected(one, serving, rules) for one in pair)
    expected = [url for url in urls if url is not None]
    if not expected or any(same_url(placed.url, url) for url in expected):
        return []
    return [LinkIssue(Issue.AMP_CACHE_URL, expected[0], placed.link.text)]


def _expected(placed: Placed, serving: str, rules: LinkRules) -> str | None:
    try:
        return cache_url(request_url(placed.link.text, rules.base_url), serving)
    except (UrlError, ValueError):
        return None
