"""The links and images of a body, behind a front matter: of Markdown, and of HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from storage.model import Kind, Link
from storage.records.lines import LineIndex
from storage.records.source import RecordText, UnreadableFile
from storage.records.written_url import WrittenUrl

MAX_BODY_CHARACTERS: Final = 4 * 1024 * 1024  # a longer one is no text that a person wrote
HTML_SUFFIXES: Final = (".html",)
MARKDOWN_SUFFIXES: Final = (".md", ".markdown", ".mdx", ".qmd")
BODY_FIELD: Final = "body"
ABSOLUTE: Final = re.compile(r"(?:https?:)?//", re.IGNORECASE)
SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
TEMPLATE: Final = re.compile(r"\{\{|\{%|<%|\$\{")  # filled in by a program before anybody reads it


def body_links(source: RecordText, name: str) -> tuple[Link, ...]:
    """The links of a body, in the order of the text; `name` is its file's, in small letters without .gz.

    Raises:
        UnreadableFile: it is longer than any body.
    """
    if len(source.text) > MAX_BODY_CHARACTERS:
        why = f"its body has more than {MAX_BODY_CHARACTERS // 2**20} MiB, and is not looked at"
        raise UnreadableFile(why, source.first_line)
    lines = LineIndex(source.text, source.first_line)
    urls = (url for url in _urls(source.text, name) if _counts(url.text, relative=source.rules.relative))
    return tuple(
        Link(BODY_FIELD, *lines.place(url.offset), url.text, _kind(url), BODY_FIELD) for url in _once(urls)
    )


def _urls(text: str, name: str) -> Iterable[WrittenUrl]:
    if name.endswith(HTML_SUFFIXES):
        from storage.records.html import html_urls  # noqa: PLC0415 - for bodies of HTML alone

        return html_urls(text)
    if not name.endswith(MARKDOWN_SUFFIXES):
        return ()
    from storage.records.markdown import markdown_urls  # noqa: PLC0415 - 70 modules, for bodies alone

    return markdown_urls(text)


def _once(urls: Iterable[WrittenUrl]) -> Iterator[WrittenUrl]:
    """Each place once, in order."""
    yield from sorted(set(urls), key=lambda url: url.offset)


def _counts(url: str, *, relative: bool) -> bool:
    """Whether a URL of a body leads to something that can be checked."""
    if not url or TEMPLATE.search(url):
        return False
    if ABSOLUTE.match(url):
        return True
    return relative and not url.startswith("#") and SCHEME.match(url) is None


def _kind(url: WrittenUrl) -> Kind:
    return Kind.IMAGE if url.is_image else Kind.WEB
