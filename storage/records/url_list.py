"""A list of URLs, one a line; `#` begins a comment."""

from __future__ import annotations

from storage.model import Kind, Link, Record
from storage.records.rules import URL_LIKE
from storage.records.source import Failure, Parsed, RecordText


def is_url_list(text: str) -> bool:
    """Whether every line of a text, blank ones and comments apart, holds a URL and nothing else."""
    lines = [line.strip() for line in text.split("\n")]
    urls = [line for line in lines if line and not line.startswith("#")]
    return bool(urls) and all(URL_LIKE.fullmatch(url) for url in urls)


def parse(source: RecordText) -> Parsed:
    """One record with a link a line, and a failure for each line that is no URL."""
    links: list[Link] = []
    failures: list[Failure] = []
    for number, line in enumerate(source.text.split("\n"), source.first_line):
        url = line.strip()
        if not url or url.startswith("#"):
            continue
        if URL_LIKE.fullmatch(url) is None:
            failures.append((number, "no URL: a list has one a line, https://..., and # before a comment"))
            continue
        column = len(line) - len(line.lstrip()) + 1
        links.append(Link("url", number, column, url, Kind.WEB))
    return [Record(source.path, 0, tuple(links))] if links else [], failures
