"""Who goes first: due targets, told apart by lane, new ones before old. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase

from crawler.errors import UrlError
from crawler.urls import host_of, request_url
from storage.model import Link, Target


def address_of(link: Link, base_url: str | None) -> str:
    """The URL that a link asks for; its text where no request can be made of it."""
    try:
        return request_url(link.text, base_url)
    except UrlError:
        return link.text


def by_lane(targets: Iterable[Target], lane_of: Callable[[str], str]) -> Iterator[tuple[str, Target]]:
    """Each target with the key of its lane, in the order given."""
    for target in targets:
        yield lane_of(host_of(target.url)), target


def excluding(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Tell whether a URL is excluded: a pattern with `*` is a glob, any other a part of it."""
    globs = tuple(patterns)
    if not globs:
        return lambda _: False
    return lambda url: any(_fits(url, glob) for glob in globs)


def _fits(url: str, pattern: str) -> bool:
    return fnmatchcase(url, pattern) if "*" in pattern else pattern in url
