"""The front matter of a text: where it stands, and in which language it is written.

Read as Jekyll, Hugo, Astro and python-frontmatter read it: YAML between `---`, TOML between `+++`,
JSON between `;;;` or as an object. Blank lines and comments may stand before it.
"""

from __future__ import annotations

import re
from typing import Final

from storage.frozen import frozen
from storage.records.source import UnreadableFile

BLANK_LINES: Final = re.compile(rb"(?:[ \t]*\r?\n)*")
COMMENT_LINE: Final = re.compile(rb"(?:#|//)[^\n]*\n")
COMMENT_ENDS: Final = ((b"<!--", b"-->"), (b"{/*", b"*/}"))
OPENING: Final = re.compile(
    rb"(?P<fence>---|\+\+\+|;;;)[ \t]*(?P<language>yaml|yml|toml|json)?[ \t]*(?:#[^\n]*)?\r?(?:\n|\Z)",
    re.IGNORECASE,
)
JSON_OBJECT: Final = re.compile(rb'\{\s*["}]')
CLOSINGS: Final = {
    b"---": re.compile(rb"^(?:---|\.\.\.)[ \t]*(?:#[^\n]*)?\r?$", re.MULTILINE),
    b"+++": re.compile(rb"^\+\+\+[ \t]*\r?$", re.MULTILINE),
    b";;;": re.compile(rb"^;;;[ \t]*\r?$", re.MULTILINE),
}
FENCE_LANGUAGES: Final = {b"---": "yaml", b"+++": "toml", b";;;": "json"}
# What the first line of a mapping begins with; a line across a page has other text behind it.
FIRST_KEY: Final = re.compile(rb"(?:\s*(?:#[^\n]*)?\n)*[ \t]*(?:[\w\"'@$.-][^\n:=]*[:=](?:\s|$)|[\[{])")


@frozen
class FrontMatter:
    """A front matter in "yaml", "toml" or "json": its bytes from `start` to `end`, and its first line.

    `body` is where the text behind it begins; None where only reading the JSON tells.
    """

    language: str
    start: int
    end: int
    first_line: int
    body: int | None


def find_front_matter(data: bytes) -> FrontMatter | None:
    """Where the front matter of a text stands; None if it has none.

    Raises:
        UnreadableFile: it begins, and does not end.
    """
    position = _first_content(data)
    opening = OPENING.match(data, position)
    if opening is None:
        if JSON_OBJECT.match(data, position):
            return FrontMatter("json", position, len(data), _line(data, position), None)
        return None
    if position and not FIRST_KEY.match(data, opening.end()):
        return None
    return _fenced(data, opening)


def _fenced(data: bytes, opening: re.Match[bytes]) -> FrontMatter:
    fence, start = opening["fence"], opening.end()
    closing = CLOSINGS[fence].search(data, start)
    line = _line(data, opening.start())
    if closing is None:
        raise UnreadableFile(f"its front matter has no closing {fence.decode()} line", line)
    language = (opening["language"] or b"").decode().lower().replace("yml", "yaml")
    body = min(closing.end() + 1, len(data))
    return FrontMatter(language or FENCE_LANGUAGES[fence], start, closing.start(), _line(data, start), body)


def _first_content(data: bytes) -> int:
    """Where the first line begins that is neither blank nor a comment."""
    position = 0
    while True:
        match = BLANK_LINES.match(data, position)
        position = match.end() if match else position
        comment = COMMENT_LINE.match(data, position)
        end = comment.end() if comment else _comment_end(data, position)
        if end is None:
            return position
        position = end


def _comment_end(data: bytes, position: int) -> int | None:
    for opening, closing in COMMENT_ENDS:
        if data.startswith(opening, position):
            end = data.find(closing, position)
            return None if end < 0 else end + len(closing)
    return None


def _line(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1
