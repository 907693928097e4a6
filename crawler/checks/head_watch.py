"""How much of a page has to be read for its head."""

from __future__ import annotations

from collections.abc import Callable

from crawler.checks.html import PageParser, ParsedPage


class HeadWatch:
    """Tells, as the bytes come, when the head of a page has ended, or when `enough` of it was read.

    Tags are ASCII in all charsets of the web but UTF-16, whose zero bytes are left out.
    """

    __slots__ = ("_enough", "_fed_bytes", "_parser")

    def __init__(self, enough: Callable[[ParsedPage], bool] = lambda _: False) -> None:
        self._fed_bytes = 0
        self._parser = PageParser()
        self._enough = enough

    def __call__(self, body: bytes) -> bool:
        """Whether the body so far is enough."""
        if len(body) < self._fed_bytes:  # another attempt has begun
            self._fed_bytes = 0
            self._parser = PageParser()
        new = body[self._fed_bytes :]
        self._fed_bytes = len(body)
        self._parser.feed(new.replace(b"\0", b"").decode("latin-1"))
        return self._parser.page.head_ended or self._enough(self._parser.page)
