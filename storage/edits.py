"""Edits: what `fix` wrote into the records, in rows, so that it is known and can be put back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from storage.db import schema
from storage.db.rows import storable_text
from storage.db.transactions import reading, writing
from storage.frozen import frozen


@frozen
class TextEdit:
    """Letters of a record that were replaced for the sake of one link.

    `url` is the link's target as it was, `start` the place of the new letters in the new text of the
    file, byte order mark apart.
    """

    field: str
    rule: str
    url: str
    start: int
    old_text: str
    new_text: str


@frozen
class EditedFile:
    """What one fix wrote into a file: its SHA-256 before and after, in hex, and the edits between."""

    path: str
    digest_before: str
    digest_after: str
    edits: tuple[TextEdit, ...]


@frozen
class EditEvent:
    """One edit of the past; `undone_at` is when it was put back."""

    fix: int
    at: datetime
    path: str
    edit: TextEdit
    undone_at: datetime | None


def next_fix(engine: sa.Engine) -> int:
    """The number of the next fix, from 1.

    Raises:
        LedgerError: the database cannot be read.
    """
    with reading(engine) as connection:
        return (connection.execute(sa.select(sa.func.max(schema.edited_file.c.fix))).scalar() or 0) + 1


def keep(engine: sa.Engine, fix: int, file: EditedFile, at: datetime) -> None:
    """Keep what a fix is about to write into one file.

    Raises:
        LedgerError: the database cannot take it.
    """
    digests = {"digest_before": file.digest_before, "digest_after": file.digest_after}
    row = {"fix": fix, "path": storable_text(file.path)}
    rows = [
        {
            **row,
            "field": storable_text(edit.field),
            "rule": edit.rule,
            "url": storable_text(edit.url),
            "start": edit.start,
            "old_text": storable_text(edit.old_text),
            "new_text": storable_text(edit.new_text),
        }
        for edit in file.edits
    ]
    with writing(engine) as connection:
        connection.execute(sa.insert(schema.edited_file), {**row, **digests, "at": at})
        connection.execute(sa.insert(schema.edit), rows)


def forget(engine: sa.Engine, fix: int, path: str) -> None:
    """Forget a file that could not be written after all.

    Raises:
        LedgerError: the database cannot take it.
    """
    with writing(engine) as connection:
        for table in (schema.edit, schema.edited_file):
            connection.execute(
                sa.delete(table).where(table.c.fix == fix, table.c.path == storable_text(path))
            )


def mark_undone(engine: sa.Engine, fix: int, path: str, at: datetime) -> None:
    """Keep that a file was given its old bytes back.

    Raises:
        LedgerError: the database cannot take it.
    """
    table = schema.edited_file
    statement = sa.update(table).where(table.c.fix == fix, table.c.path == storable_text(path))
    with writing(engine) as connection:
        connection.execute(statement.values(undone_at=at))


def last_fix(engine: sa.Engine) -> int | None:
    """The number of the newest fix of which something was not put back; None if there is none.

    Raises:
        LedgerError: the database cannot be read.
    """
    table = schema.edited_file
    with reading(engine) as connection:
        return connection.execute(
            sa.select(sa.func.max(table.c.fix)).where(table.c.undone_at.is_(None))
        ).scalar()


def edited_files(engine: sa.Engine, fix: int | None = None) -> list[EditedFile]:
    """The files of one fix, or of all, the oldest first, but for those that were put back.

    Raises:
        LedgerError: the database cannot be read.
    """
    table, edit = schema.edited_file, schema.edit
    query = sa.select(table).where(table.c.undone_at.is_(None)).order_by(table.c.fix, table.c.path)
    texts = sa.select(edit).order_by(edit.c.fix, edit.c.path, edit.c.start)
    if fix is not None:
        query, texts = query.where(table.c.fix == fix), texts.where(edit.c.fix == fix)
    edits: defaultdict[tuple[int, str], list[TextEdit]] = defaultdict(list)
    with reading(engine) as connection:
        for row in connection.execute(texts):
            edits.setdefault((row.fix, row.path), []).append(_text_edit(row))
        return [
            EditedFile(
                row.path, row.digest_before, row.digest_after, tuple(edits.get((row.fix, row.path), ()))
            )
            for row in connection.execute(query)
        ]


def edits_of(engine: sa.Engine, url: str) -> Sequence[EditEvent]:
    """The edits that a target, by its URL, was the old or the new text of, the oldest first.

    Raises:
        LedgerError: the database cannot be read.
    """
    edit, table = schema.edit, schema.edited_file
    same_file = (table.c.fix == edit.c.fix) & (table.c.path == edit.c.path)
    query = sa.select(edit, table.c.at, table.c.undone_at).join(table, same_file)
    query = query.where(sa.or_(edit.c.url == url, edit.c.new_text == url))
    with reading(engine) as connection:
        rows = connection.execute(query.order_by(edit.c.fix, edit.c.path, edit.c.start))
        return [EditEvent(row.fix, row.at, row.path, _text_edit(row), row.undone_at) for row in rows]


def _text_edit(row: sa.Row[tuple[object, ...]]) -> TextEdit:
    return TextEdit(row.field, row.rule, row.url, row.start, row.old_text, row.new_text)
