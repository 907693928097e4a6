"""Whether the part of a page that a link names is there: by an id, or by a text. Pure.

HTML, 7.4.6.4 says what a fragment names: the element of that id, before or after its escapes are undone,
else the `a` element of that name. The text fragments of WICG (`:~:text=`) name words of the page.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

from crawler.checks.fingerprint import words
from crawler.checks.html import Page, read
from crawler.checks.page import is_html
from crawler.fetch.base import Answer, Request

KEY: Final = "fragments"
DIRECTIVE: Final = ":~:"
TEXT_OF: Final = "text="
# Some sites put this before the ids of what their users write, and lead to them by a script.
PREFIX: Final = "user-content-"
FEW: Final = 30  # words; scripts draw a page that has scripts and fewer of them
INVISIBLE: Final = frozenset({"Mn", "Cf"})  # accents, and what is not seen


def fragment_of(text: str) -> str | None:
    """The fragment of a URL as a link says it, if it names a part of a page.

    The top of a page is always there; `#!`, `#/` and `#key=value` are read by scripts.
    """
    fragment = text.partition("#")[2]
    name, directive, _ = fragment.partition(DIRECTIVE)
    names = name and name.lower() != "top" and not name.startswith(("!", "/")) and "=" not in name
    return fragment if names or (directive and _texts(fragment)) else None


def note_fragments(fragments: Iterable[str], request: Request, answer: Answer) -> None:
    """Keep with the evidence which fragments were looked for on a page, and which are not there."""
    asked = sorted(fragments)
    if asked:
        request.trail.evidence[KEY] = {"asked": asked, **_said(asked, request, answer)}


def _said(fragments: Iterable[str], request: Request, answer: Answer) -> dict[str, object]:
    if not is_html(answer) or b"<" not in answer.body.replace(b"\0", b""):
        return {"unread": "it is no HTML"}
    page = read(answer)
    absent = missing(page, fragments)
    reason = _unread(page, request, answer) if absent else None
    return {"unread": reason} if reason else {"missing": absent}


def _unread(page: Page, request: Request, answer: Answer) -> str | None:
    """Why what was not seen of a page may be there all the same, if so."""
    if not answer.complete or len(answer.body) >= request.limit:
        return f"only its first {len(answer.body)} bytes were read"
    if page.cut:
        return "it has more to look at than is kept of a page"
    if len(words(page.text)) < FEW and (page.sources or "script" in page.tags):
        return "its scripts draw it"
    return None


def missing(page: Page, fragments: Iterable[str]) -> dict[str, str | None]:
    """The fragments that a page does not have, each with the id that may be meant, if there is one."""
    text = _bare(page.text)
    alike = {_loose(anchor): anchor for anchor in sorted(page.anchors)}
    absent: dict[str, str | None] = {}
    for fragment in fragments:
        name = fragment_of("#" + fragment.partition(DIRECTIVE)[0])
        if name is not None and not _has(page, name):
            absent[fragment] = alike.get(_loose(unquote(name)))
        elif not all(_stands(one, text) for one in _texts(fragment)):
            absent[fragment] = None
    return absent


def _has(page: Page, name: str) -> bool:
    spelt = (name, unquote(name))
    return any(one in page.anchors or f"{PREFIX}{one}" in page.anchors for one in spelt)


def _loose(name: str) -> str:
    """A name without regard to case, and to what stands between its words."""
    return "".join(letter for letter in name.casefold() if letter.isalnum()) or name


def _texts(fragment: str) -> list[str]:
    """The values of the text directives of a fragment, still escaped."""
    parts = fragment.partition(DIRECTIVE)[2].split("&")
    return [part.removeprefix(TEXT_OF) for part in parts if part.startswith(TEXT_OF) and part != TEXT_OF]


def _stands(directive: str, text: str) -> bool:
    """Whether `[prefix-,]start[,end][,-suffix]` fits a bare text."""
    parts = directive.split(",")
    before = parts.pop(0)[:-1] if len(parts) > 1 and parts[0].endswith("-") else ""
    after = parts.pop()[1:] if len(parts) > 1 and parts[-1].startswith("-") else ""
    prefix, suffix = _bare(unquote(before)), _bare(unquote(after))
    start, *ends = (_bare(unquote(part)) for part in parts[:2])
    if not ends:
        return f"{prefix}{start}{suffix}" in text
    at = text.find(f"{prefix}{start}")
    return at >= 0 and text.find(f"{ends[0]}{suffix}", at + len(prefix) + len(start)) >= 0


def _bare(text: str) -> str:
    """A text as it is compared: without regard to case, accents and white space.

    White space goes altogether, since what a browser puts between two elements is a matter of styles.
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in plain if not one.isspace() and unicodedata.category(one) not in INVISIBLE)
