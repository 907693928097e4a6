"""Order the due targets: by lane, new before old. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase

from crawler.checks.fragments import fragment_of
from crawler.errors import UrlError
from crawler.urls import host_of, request_url
from storage.model import Kind, Link, Target


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


def with_fragments(
    due: Iterable[Target],
    targets: Iterable[Target],
    links: Mapping[int, Iterable[str]],
    looked_for: Mapping[int, Collection[str]],
) -> Iterator[Target]:
    """The due targets with the fragments of their links, and those that have a new one.

    Args:
        due: the targets that are due.
        targets: all targets of the run, the due ones among them.
        links: the texts of the links that have a fragment, by target.
        looked_for: the fragments that the newest check of a page that is alive looked for.
    """
    ids = set()
    for target in due:
        ids.add(target.id)
        yield replace(target, fragments=_fragments(target, links))
    for target in targets:
        fragments = _fragments(target, links)
        if target.id not in ids and not set(fragments) <= set(looked_for.get(target.id, fragments)):
            yield replace(target, fragments=fragments)


def _fragments(target: Target, links: Mapping[int, Iterable[str]]) -> tuple[str, ...]:
    """What to look for on the page of a target; nothing on what is read as another thing."""
    if target.kind is not Kind.WEB:
        return ()
    return tuple(sorted({fragment for text in links.get(target.id, ()) if (fragment := fragment_of(text))}))


def excluding(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Tell whether a URL is excluded: a pattern with `*` is a glob, any other a part of it."""
    globs = tuple(patterns)
    if not globs:
        return lambda _: False
    return lambda url: any(_fits(url, glob) for glob in globs)


def _fits(url: str, pattern: str) -> bool:
    return fnmatchcase(url, pattern) if "*" in pattern else pattern in url
