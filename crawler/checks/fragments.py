"""Whether the part of a page that a link names is there: by an id, or by a text. Pure.

HTML, 7.4.6.4 says what a fragment names: the element of that id, before or after its escapes are undone,
else the `a` element of that name. The text fragments of WICG (`:~:text=`) name words of the page.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

from crawler.checks.html import ParsedPage, parse_page
from crawler.checks.page import is_html
from crawler.checks.words import APP_SHELL_WORDS, words
from crawler.fetch.base import Request, Response
from storage.model import FragmentEvidence

FRAGMENT_DIRECTIVE: Final = ":~:"
TEXT_DIRECTIVE: Final = "text="
# Some sites put this before the ids of what their users write, and lead to them by a script.
USER_CONTENT_PREFIX: Final = "user-content-"
INVISIBLE_CATEGORIES: Final = frozenset({"Mn", "Cf"})  # accents, and what is not seen


def fragment_of(text: str) -> str | None:
    """The fragment of a URL as a link says it, if it names a part of a page.

    The top of a page is always there; `#!`, `#/` and `#key=value` are read by scripts.
    """
    fragment = text.partition("#")[2]
    name, directive, _ = fragment.partition(FRAGMENT_DIRECTIVE)
    names = name and name.lower() != "top" and not name.startswith(("!", "/")) and "=" not in name
    return fragment if names or (directive and _text_directives(fragment)) else None


def note_fragments(fragments: Iterable[str], request: Request, answer: Response) -> None:
    """Keep with the evidence which fragments were looked for on a page, and which are not there."""
    names = sorted(fragments)
    if names:
        request.trace.evidence.fragments = _fragment_evidence(names, request, answer)


def _fragment_evidence(fragments: list[str], request: Request, answer: Response) -> FragmentEvidence:
    if not is_html(answer) or b"<" not in answer.body.replace(b"\0", b""):
        return FragmentEvidence(fragments, unread="it is no HTML")
    page = parse_page(answer)
    absent = missing_fragments(page, fragments)
    reason = _unread_reason(page, request, answer) if absent else None
    return FragmentEvidence(fragments, None if reason else absent, reason)


def _unread_reason(page: ParsedPage, request: Request, answer: Response) -> str | None:
    """Why what was not seen of a page may be there all the same, if so."""
    if not answer.complete or len(answer.body) >= request.limit:
        return f"only its first {len(answer.body)} bytes were read"
    if page.cut:
        return "it has more to look at than is kept of a page"
    if len(words(page.text)) < APP_SHELL_WORDS and (page.sources or "script" in page.tags):
        return "its scripts draw it"
    return None


def missing_fragments(page: ParsedPage, fragments: Iterable[str]) -> dict[str, str | None]:
    """The fragments that a page does not have, each with the id that may be meant, if there is one."""
    text = _comparable_text(page.text)
    alike = {_loose_name(anchor): anchor for anchor in sorted(page.anchors)}
    absent: dict[str, str | None] = {}
    for fragment in fragments:
        name = fragment_of("#" + fragment.partition(FRAGMENT_DIRECTIVE)[0])
        if name is not None and not _has_anchor(page, name):
            absent[fragment] = alike.get(_loose_name(unquote(name)))
        elif not all(_directive_fits(directive, text) for directive in _text_directives(fragment)):
            absent[fragment] = None
    return absent


def _has_anchor(page: ParsedPage, name: str) -> bool:
    spellings = (name, unquote(name))
    return any(
        spelling in page.anchors or f"{USER_CONTENT_PREFIX}{spelling}" in page.anchors
        for spelling in spellings
    )


def _loose_name(name: str) -> str:
    """A name without regard to case, and to what stands between its words."""
    return "".join(letter for letter in name.casefold() if letter.isalnum()) or name


def _text_directives(fragment: str) -> list[str]:
    """The values of the text directives of a fragment, still escaped."""
    parts = fragment.partition(FRAGMENT_DIRECTIVE)[2].split("&")
    return [
        part.removeprefix(TEXT_DIRECTIVE)
        for part in parts
        if part.startswith(TEXT_DIRECTIVE) and part != TEXT_DIRECTIVE
    ]


def _directive_fits(directive: str, text: str) -> bool:
    """Whether `[prefix-,]start[,end][,-suffix]` fits a bare text."""
    parts = directive.split(",")
    before = parts.pop(0)[:-1] if len(parts) > 1 and parts[0].endswith("-") else ""
    after = parts.pop()[1:] if len(parts) > 1 and parts[-1].startswith("-") else ""
    prefix, suffix = _comparable_text(unquote(before)), _comparable_text(unquote(after))
    start, *ends = (_comparable_text(unquote(part)) for part in parts[:2])
    if not ends:
        return f"{prefix}{start}{suffix}" in text
    at = text.find(f"{prefix}{start}")
    return at >= 0 and text.find(f"{ends[0]}{suffix}", at + len(prefix) + len(start)) >= 0


def _comparable_text(text: str) -> str:
    """A text as it is compared: without regard to case, accents and white space.

    White space goes altogether, since what a browser puts between two elements is a matter of styles.
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(
        character
        for character in plain
        if not character.isspace() and unicodedata.category(character) not in INVISIBLE_CATEGORIES
    )
