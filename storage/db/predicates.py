"""Conditions that many queries share, each under its name."""

from __future__ import annotations

import json
from collections.abc import Sequence

import sqlalchemy as sa

from storage.db import schema
from storage.db.sql import SqlColumn
from storage.model import PinWord, Run


def open_link() -> sa.ColumnElement[bool]:
    """A link that its record still holds."""
    return schema.link.c.closed_run.is_(None)


def link_read_by(run: Run) -> sa.ColumnElement[bool]:
    """An open link of a record that a run read; `link` and `record` are joined."""
    return open_link() & (schema.record.c.seen_run == run.id)


def newest_finding(finding: sa.FromClause = schema.finding) -> sa.ColumnElement[bool]:
    """How `target` is joined with the newest finding that says something of it."""
    target = schema.target
    return (finding.c.target_id == target.c.id) & (finding.c.run_id == target.c.last_run)


def finding_of_run(run: int, finding: sa.FromClause = schema.finding) -> sa.ColumnElement[bool]:
    """How `target` is joined with its finding in one run."""
    return (finding.c.target_id == schema.target.c.id) & (finding.c.run_id == run)


def image_of_finding() -> sa.ColumnElement[bool]:
    """How `finding` is joined with what its image said."""
    finding, image = schema.finding, schema.image
    return (image.c.target_id == finding.c.target_id) & (image.c.run_id == finding.c.run_id)


def pin_of_target() -> sa.ColumnElement[bool]:
    """How `target` is joined with its pin."""
    return schema.pin.c.url == schema.target.c.url


def ignored_target() -> sa.ColumnElement[bool]:
    """A target that a person pinned as `ignore`."""
    pin = schema.pin
    return sa.exists().where(pin_of_target() & (pin.c.word == PinWord.IGNORE.value))


def among(column: SqlColumn, ids: Sequence[int], dialect: str) -> sa.ColumnElement[bool]:
    """A row with one of many ids; for SQLite they are one parameter, since SQLAlchemy takes time for each.

    PostgreSQL would keep one plan for arrays of any length, made when its tables were empty: a quarter
    of the speed of IN, which it plans anew.
    """
    if dialect == "sqlite":
        return column.in_(sa.select(sa.func.json_each(json.dumps(list(ids))).table_valued("value").c.value))
    return column.in_(ids)
