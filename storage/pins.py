"""Pins: what people say of targets, in rows."""

from __future__ import annotations

import sqlalchemy as sa

from storage import schema
from storage.database import reading, writing
from storage.model import Pin, PinWord
from storage.rows import plain
from storage.statements import insert_or_replace


def put(engine: sa.Engine, pin: Pin) -> None:
    """Keep a pin; an earlier one on the same target is replaced.

    Raises:
        LedgerError: the database cannot take it.
    """
    row = {"url": plain(pin.url), "word": pin.word.value, "why": plain(pin.why), "at": pin.at}
    with writing(engine) as connection:
        statement = insert_or_replace(engine, schema.pin, ("url",))
        connection.execute(statement, {**row, "author": plain(pin.author)})


def remove(engine: sa.Engine, url: str) -> bool:
    """Forget the pin on a target; tell whether there was one.

    Raises:
        LedgerError: the database cannot take it.
    """
    with writing(engine) as connection:
        gone = connection.execute(sa.delete(schema.pin).where(schema.pin.c.url == plain(url)))
        return gone.rowcount > 0


def pins(engine: sa.Engine) -> list[Pin]:
    """All pins, by URL.

    Raises:
        LedgerError: the database cannot be read.
    """
    table = schema.pin
    columns = (table.c.url, table.c.word, table.c.why, table.c.author, table.c.at)
    with reading(engine) as connection:
        rows = connection.execute(sa.select(*columns).order_by(table.c.url))
        return [Pin(url, PinWord(word), why, author, at) for url, word, why, author, at in rows]
