"""What is wrong with a link, beside the verdict of its target. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crawler.checks.amp_cache import cache_url, parse_cache_url, same_cache_url
from crawler.checks.amp_pairs import pairing_issues
from crawler.checks.fragments import fragment_of
from crawler.errors import UrlError
from crawler.urls import request_url
from storage.frozen import frozen
from storage.model import Class, Declared, Issue, Kind, LinkIssue, Picture, Size, Verdict
from storage.rollups.link_issues import JudgedLink

SAME_RATIO: Final = 0.01  # contract: the same aspect ratio within 1 %


@frozen
class LinkRules:
    """Pixels that a size may be off, whether AMP pairs are judged, and what relative URLs stand on.

    `cache`: this run kept images, so what is not in the cache now could not be had.
    """

    tolerance: int = 0
    amp: bool = True
    base_url: str | None = None
    cache: bool = False


def link_issues(record: Sequence[JudgedLink], rules: LinkRules) -> dict[int, list[LinkIssue]]:
    """The issues of every link of one record, by the id of the link."""
    issues_by_link: dict[int, list[LinkIssue]] = {}
    for judged_link in record:
        beside = (*_scheme_issues(judged_link), *_fragment_issues(judged_link))
        issues_by_link[judged_link.id] = [*_kind_issues(judged_link, record, rules), *beside]
    return {key: issues for key, issues in issues_by_link.items() if issues}


def _kind_issues(judged_link: JudgedLink, record: Sequence[JudgedLink], rules: LinkRules) -> list[LinkIssue]:
    link = judged_link.link
    if link.kind is Kind.IMAGE and link.declared is not None:
        sizes = size_issues(link.declared, _judged_picture(judged_link), rules.tolerance)
        return [*sizes, *_cache_issues(judged_link, rules)]
    if link.kind is Kind.AMP_CDN and rules.amp:
        return _amp_issues(judged_link, record, rules)
    return pairing_issues(judged_link, record) if link.kind is Kind.AMP and rules.amp else []


def _scheme_issues(judged_link: JudgedLink) -> list[LinkIssue]:
    """Tell of an http link that answers on https; only a run that tries https knows."""
    secure = judged_link.evidence.https
    return [LinkIssue(Issue.INSECURE_SCHEME, secure, judged_link.link.text)] if secure else []


def _fragment_issues(judged_link: JudgedLink) -> list[LinkIssue]:
    """Tell of a part that a link names and its page has not; only a run that looks for parts knows."""
    evidence = judged_link.evidence.fragments
    absent = (evidence.missing if evidence else None) or {}
    fragment = fragment_of(judged_link.link.text)
    alive = judged_link.verdict is not None and judged_link.verdict.cls is Class.ALIVE
    if judged_link.link.kind is not Kind.WEB or not alive or fragment is None or fragment not in absent:
        return []
    return [LinkIssue(Issue.FRAGMENT_MISSING, fragment, absent[fragment])]


def _judged_picture(judged_link: JudgedLink) -> Picture | None:
    """The picture whose size counts; that of a stand-in says nothing."""
    return None if judged_link.verdict is Verdict.PLACEHOLDER else judged_link.picture


def _cache_issues(judged_link: JudgedLink, rules: LinkRules) -> list[LinkIssue]:
    """What the record says of the cache, if it is not so; an audit knows only what was said before."""
    declared = judged_link.link.declared
    if (
        declared is None
        or not declared.cached
        or judged_link.cached
        or not (rules.cache or judged_link.stale)
    ):
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
    declared_size = f"{declared.width or '?'}x{declared.height or '?'}"
    return [LinkIssue(issue, declared_size, str(picture.size))]


def _size_issue(declared: Declared, picture: Picture, tolerance: int) -> Issue | None:
    if picture.size is None or _fits(declared, picture.size, tolerance):
        return None
    if picture.stored is not None and _fits(declared, picture.stored, tolerance):
        return Issue.SIZE_ROTATED
    return Issue.SIZE_SCALED if _same_ratio(declared, picture.size) else Issue.SIZE_MISMATCH


def _fits(declared: Declared, size: Size, tolerance: int) -> bool:
    pairs = ((declared.width, size.width), (declared.height, size.height))
    return all(
        not isinstance(declared_pixels, int) or abs(declared_pixels - pixels) <= tolerance
        for declared_pixels, pixels in pairs
    )


def _same_ratio(declared: Declared, size: Size) -> bool:
    if not isinstance(declared.width, int) or not isinstance(declared.height, int):
        return False
    declared_ratio, ratio = declared.width / declared.height, size.width / size.height
    return abs(declared_ratio - ratio) <= SAME_RATIO * ratio


def _amp_issues(judged_link: JudgedLink, record: Sequence[JudgedLink], rules: LinkRules) -> list[LinkIssue]:
    """Compare an AMP-CDN URL with the one that the item's AMP URL leads to."""
    item = judged_link.link.item
    pair = [amp_link for amp_link in record if amp_link.link.item == item and amp_link.link.kind is Kind.AMP]
    cache_parts = parse_cache_url(judged_link.url)
    serving = cache_parts.serving if cache_parts is not None else "c"
    urls = (_expected_cache_url(amp_link, serving, rules) for amp_link in pair)
    expected = [url for url in urls if url is not None]
    if not expected or any(same_cache_url(judged_link.url, url) for url in expected):
        return []
    return [LinkIssue(Issue.AMP_CACHE_URL, expected[0], judged_link.link.text)]


def _expected_cache_url(amp_link: JudgedLink, serving: str, rules: LinkRules) -> str | None:
    try:
        return cache_url(request_url(amp_link.link.text, rules.base_url), serving)
    except (UrlError, ValueError):
        return None
