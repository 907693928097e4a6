"""Who draws a page: the server that sent it, or scripts once it is there. Pure.

A page that scripts draw looks like all others of its site until they have run, so it is compared with none.
"""

from __future__ import annotations

from typing import Final

from crawler.checks.html import ParsedPage
from crawler.checks.words import APP_SHELL_WORDS, words
from crawler.content.observation import ObservedPage
from crawler.data import table
from crawler.data.shapes import RenderingTable

# The elements that the frameworks of pages drawn by scripts fill, by their ids.
MOUNT_ELEMENTS: Final = frozenset(
    {"root", "app", "__next", "__nuxt", "___gatsby", "svelte", "app-root", "react-root", "q-app", "ember-app"}
)
MAX_MOUNTED_WORDS: Final = 300  # visible words around such an element before scripts fill it
MIN_PLAIN_WORDS: Final = 5  # visible words of a page that says something without scripts
# What shows something from elsewhere, or draws without words.
FOREIGN_ELEMENTS: Final = frozenset({"iframe", "frame", "object", "embed", "video", "canvas"})
SERVER_DATA: Final = table("rendering", RenderingTable)
SERVER_GENERATORS: Final = tuple(name for system in SERVER_DATA["system"] for name in system["generators"])
SERVER_SCRIPTS: Final = tuple(path for system in SERVER_DATA["system"] for path in system["scripts"])
WEB_FORMS_ID: Final = "ctl00_"  # how ids begin that ASP.NET Web Forms makes on the server


def is_shell(observation: ObservedPage) -> bool:
    """Whether scripts draw the page: it has few words, or hardly more around the element that they fill."""
    page = observation.page
    if page is None:
        return False
    count = len(words(page.text))
    has_mount = count < MAX_MOUNTED_WORDS and not MOUNT_ELEMENTS.isdisjoint(page.empty)
    if not has_mount and count >= APP_SHELL_WORDS:
        return False
    if page.meta.get("generator", "").casefold().startswith(SERVER_GENERATORS):
        return False
    return has_mount or not _is_drawn_by_server(page, count)


def _is_drawn_by_server(page: ParsedPage, count: int) -> bool:
    """Whether a page of few words is whole all the same: by its system, or for want of scripts."""
    if any(path in source for source in page.sources for path in SERVER_SCRIPTS):
        return True
    if any(name.startswith(WEB_FORMS_ID) for name in page.anchors):
        return True
    is_foreign = not FOREIGN_ELEMENTS.isdisjoint(page.tags)
    return not (page.scripts or page.sources or is_foreign) and count >= MIN_PLAIN_WORDS
