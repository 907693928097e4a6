"""Rows into values: what the columns of a query hold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa

from storage.db import schema
from storage.db.rows.evidence import to_evidence
from storage.db.sql import RowValues, SqlColumn
from storage.model import (
    Declared,
    Finding,
    Hop,
    Kind,
    Link,
    Picture,
    Redirect,
    Size,
    Standing,
    State,
    Verdict,
)

STANDING_COLUMNS: Final = (
    "state",
    "since",
    "failing_since",
    "failures",
    "hard_since",
    "hard",
    "alive_streak",
    "turns",
    "checked_at",
    "next_due",
    "hazard",
)
LINK_CELLS: Final = ("field", "line", "column", "text", "kind", "item", "declared")
FINDING_COLUMNS: Final = (
    "target_id",
    "verdict",
    "checked_at",
    "status",
    "final_url",
    "moved_to",
    "redirects",
    "attempts",
    "requests",
    "elapsed",
    "bytes",
    "detail",
    "retry_at",
    "evidence",
)
# `State(...)` takes five times as long as a look into a table.
STATES_BY_VALUE: Final = {state.value: state for state in State}
KINDS_BY_VALUE: Final = {kind.value: kind for kind in Kind}
VERDICTS_BY_VALUE: Final = {verdict.value: verdict for verdict in Verdict}


def standing_columns() -> list[SqlColumn]:
    """The columns STANDING as `to_standing` wants them: times as the driver gives them."""
    columns = (schema.target.c[name] for name in STANDING_COLUMNS)
    return [
        sa.type_coerce(column, sa.String) if isinstance(column.type, schema.UtcDateTime) else column
        for column in columns
    ]


def to_standing(cells: RowValues) -> Standing:
    """The standing that `standing_columns` hold."""
    state, since, failing_since, failures, hard_since, hard, alive_streak, turns, checked_at, due, hazard = (
        cells
    )
    return Standing(
        STATES_BY_VALUE[state],
        since and _stored_time(since),
        failing_since and _stored_time(failing_since),
        failures,
        hard_since and _stored_time(hard_since),
        hard,
        alive_streak,
        tuple(datetime.fromisoformat(f"{turn}+00:00") for turn in turns.split(",")) if turns else (),
        _stored_time(checked_at),
        _stored_time(due),
        hazard,
    )


def _stored_time(value: str | datetime | None) -> datetime | None:
    """A time as the columns keep it: SQLite's driver gives text, PostgreSQL's a time."""
    if value is None or isinstance(value, datetime):
        return value and value.replace(tzinfo=UTC)
    return datetime.fromisoformat(f"{value}+00:00")


def link_columns() -> list[SqlColumn]:
    """The columns of `link` as `to_link` wants them."""
    return [schema.link.c[name] for name in LINK_CELLS]


def to_link(cells: RowValues) -> Link:
    """The link that `link_columns` hold."""
    field, line, column, text, kind, item, declared = cells
    if declared is not None:
        declared = Declared(declared["width"], declared["height"], declared["cached"])
    return Link(field, line, column, text, KINDS_BY_VALUE[kind], item, declared)


def finding_columns() -> list[SqlColumn]:
    """The columns of `finding` as `to_finding` wants them."""
    return [schema.finding.c[name] for name in FINDING_COLUMNS]


def to_finding(url: str, cells: RowValues, picture: Picture | None) -> Finding:
    """The finding on a URL that `finding_columns` hold, with its image."""
    target, verdict, checked_at, status, final_url, moved_to, redirects, *counts = cells
    attempts, requests, seconds, byte_count, detail, retry_at, evidence = counts
    return Finding(
        target=target,
        url=url,
        verdict=VERDICTS_BY_VALUE[verdict],
        checked_at=checked_at,
        status=status,
        final_url=final_url,
        moved_to=moved_to,
        redirects=tuple(Redirect(at, code) for at, code in redirects or ()),
        attempts=attempts,
        requests=requests,
        elapsed=seconds,
        bytes=byte_count,
        detail=detail,
        picture=picture,
        retry_at=retry_at,
        evidence=to_evidence(evidence),
    )


def picture_columns() -> list[SqlColumn]:
    """The columns of `image` under the names that `to_picture` knows."""
    return [column.label(f"image_{column.name}") for column in schema.image.c]


def to_picture(row: sa.RowMapping) -> Picture | None:
    """The picture that `picture_columns` hold, if there is one."""
    if row["image_format"] is None:
        return None
    return Picture(
        to_size(row["image_width"], row["image_height"]),
        to_size(row["image_stored_width"], row["image_stored_height"]),
        row["image_format"],
        row["image_orientation"],
        row["image_frames"],
        row["image_mode"],
        row["image_bytes"],
        row["image_digest"],
        row["image_cached"],
    )


def to_size(width: int | None, height: int | None) -> Size | None:
    """The size that two columns keep."""
    return None if width is None or height is None else Size(width, height)


def to_hop(row: sa.RowMapping) -> Hop:
    """The request that a row of `hop` keeps."""
    return Hop(
        row["url"],
        row["method"],
        row["status"],
        row["error"],
        row["elapsed"],
        row["attempt"],
        row["address"],
    )
