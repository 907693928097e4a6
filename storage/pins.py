"""Pins: what people say of targets, in rows."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from storage.db import schema
from storage.db.predicates import open_link
from storage.db.rows import storable_text
from storage.db.statements import chunks, insert_or_replace
from storage.db.transactions import reading, writing
from storage.model import Pin, PinWord
from storage.rollups.severity import update_record_severities
from storage.rollups.targets import update_target as weigh_target


def put(engine: sa.Engine, pin: Pin) -> None:
    """Keep a pin; an earlier one on the same target is replaced.

    Raises:
        LedgerError: the database cannot take it.
    """
    row = {"url": storable_text(pin.url), "word": pin.word.value, "why": storable_text(pin.why), "at": pin.at}
    with writing(engine) as connection:
        statement = insert_or_replace(engine, schema.pin, ("url",))
        connection.execute(statement, {**row, "author": storable_text(pin.author)})
        _update_severity(connection, storable_text(pin.url))


def remove(engine: sa.Engine, url: str) -> bool:
    """Forget the pin on a target; tell whether there was one.

    Raises:
        LedgerError: the database cannot take it.
    """
    with writing(engine) as connection:
        deletion = connection.execute(sa.delete(schema.pin).where(schema.pin.c.url == storable_text(url)))
        _update_severity(connection, storable_text(url))
        return deletion.rowcount > 0


def _update_severity(connection: sa.Connection, url: str) -> None:
    """Let pages know at once: a target that is pinned, and the records that name it, count otherwise."""
    link, target = schema.link, schema.target
    weigh_target(connection, url)
    record_ids = sa.select(link.c.record_id).distinct().join(target, target.c.id == link.c.target_id)
    record_ids = record_ids.where(target.c.url == url, open_link())
    for chunk in chunks(list(connection.execute(record_ids).scalars())):
        update_record_severities(connection, chunk)


def mark_due(engine: sa.Engine, url: str, now: datetime) -> bool:
    """Have the next run ask a target, as if it were due; tell whether there is one. Nobody is asked here.

    Raises:
        LedgerError: the database cannot take it.
    """
    target = schema.target
    with writing(engine) as connection:
        due = connection.execute(
            sa.update(target).where(target.c.url == storable_text(url)).values(next_due=now)
        )
        return due.rowcount > 0


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
