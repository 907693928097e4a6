"""URLs into rows of `target`, and which of them carry credentials."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

import sqlalchemy as sa

from storage.db import schema
from storage.db.rows import storable_text, utc_text
from storage.db.statements import PreparedStatement, chunks, insert_new
from storage.frozen import frozen
from storage.model import Run

TARGET_COLUMNS: Final = ("url", "host", "added_at")
MAX_HOST_CHARACTERS: Final = 260  # a name of 253 (RFC 1035, 2.3.4), a colon and a port


@frozen
class LinkTarget:
    """Where a link leads: its text and its URL as they may be stored, and the URL to request."""

    text: str
    shown: str
    request_url: str


class TargetWriter:
    """Gives every URL its row, and remembers its id.

    `secrets` maps the id of a target to the URL to request, where that one carries credentials.
    """

    def __init__(self, engine: sa.Engine, run: Run) -> None:
        self.ids: dict[str, int] = {}
        self.secrets: dict[int, str] = {}
        self._added_at = utc_text(run.started_at)
        self._insert = PreparedStatement(engine, insert_new(engine, schema.target), TARGET_COLUMNS)

    @contextmanager
    def remembering(self) -> Iterator[None]:
        """Forget the ids that were learned meanwhile, if the transaction is undone."""
        count = len(self.ids)
        try:
            yield
        except BaseException:
            while len(self.ids) > count:
                self.ids.popitem()
            raise

    def write(self, connection: sa.Connection, places: Iterable[LinkTarget]) -> None:
        """Write the URLs that have no row yet."""
        request_urls: dict[str, str] = {}
        for place in places:
            if place.shown not in self.ids:
                request_urls.setdefault(place.shown, place.request_url)
        spellings: dict[str, list[str]] = {}
        for shown_url in request_urls:
            spellings.setdefault(storable_text(shown_url), []).append(shown_url)
        self._insert.run(connection, [(url, host_of(url), self._added_at) for url in spellings])
        table = schema.target
        for urls in chunks(spellings):
            query = sa.select(table.c.url, table.c.id).where(table.c.url.in_(urls))
            for url, key in connection.execute(query):
                self._remember(key, url, spellings[url], request_urls)

    def _remember(self, key: int, url: str, spellings: list[str], request_urls: dict[str, str]) -> None:
        for shown_url in spellings:
            self.ids[shown_url] = key
            if request_urls[shown_url] != url:
                self.secrets.setdefault(key, request_urls[shown_url])


def host_of(url: str) -> str:
    """The host (and port) that a request URL names; "" for what is none."""
    scheme, mark, after_scheme = url.partition("://")
    if not mark or scheme not in {"http", "https"}:
        return ""
    host = after_scheme.partition("/")[0].partition("?")[0].rpartition("@")[2]
    return host if len(host) <= MAX_HOST_CHARACTERS else ""
