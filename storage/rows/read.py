"""Rows into values: what the columns of a query hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from storage import schema
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

STANDING: Final = (
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
)
LINK: Final = ("field", "line", "column", "text", "kind", "item", "declared")
FINDING: Final = (
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
STATES: Final = {state.value: state for state in State}
KINDS: Final = {kind.value: kind for kind in Kind}
VERDICTS: Final = {verdict.value: verdict for verdict in Verdict}


def standing_columns() -> list[sa.ColumnElement[Any]]:
    """The columns STANDING as `to_standing` wants them: times as the driver gives them."""
    columns = (schema.target.c[name] for name in STANDING)
    return [
        sa.type_coerce(column, sa.String) if isinstance(column.type, schema.Moment) else column
        for column in columns
    ]


def to_standing(cells: Sequence[Any]) -> Standing:
    """The standing that `standing_columns` hold."""
    state, since, failing_since, failures, hard_since, hard, alive_streak, turns, checked_at, due = cells
    return Standing(
        STATES[state],
        since and _moment(since),
        failing_since and _moment(failing_since),
        failures,
        hard_since and _moment(hard_since),
        hard,
        alive_streak,
        tuple(datetime.fromisoformat(f"{turn}+00:00") for turn in turns.split(",")) if turns else (),
        _moment(checked_at),
        _moment(due),
    )


def _moment(value: str | datetime | None) -> datetime | None:
    """A time as the columns keep it: SQLite's driver gives text, PostgreSQL's a time."""
    if value is None or isinstance(value, datetime):
        return value and value.replace(tzinfo=UTC)
    return datetime.fromisoformat(f"{value}+00:00")


def link_columns() -> list[sa.Column[Any]]:
    """The columns of `link` as `to_link` wants them."""
    return [schema.link.c[name] for name in LINK]


def to_link(cells: Sequence[Any]) -> Link:
    """The link that `link_columns` hold."""
    field, line, column, text, kind, item, declared = cells
    if declared is not None:
        declared = Declared(declared["width"], declared["height"], declared["cached"])
    return Link(field, line, column, text, KINDS[kind], item, declared)


def finding_columns() -> list[sa.Column[Any]]:
    """The columns of `finding` as `to_finding` wants them."""
    return [schema.finding.c[name] for name in FINDING]


def to_finding(url: str, cells: Sequence[Any], picture: Picture | None) -> Finding:
    """The finding on a URL that `finding_columns` hold, with its image."""
    target, verdict, checked_at, status, final_url, moved_to, redirects, *counts = cells
    attempts, requests, elapsed, count, detail, retry_at, evidence = counts
    return Finding(
        target=target,
        url=url,
        verdict=VERDICTS[verdict],
        checked_at=checked_at,
        status=status,
        final_url=final_url,
        moved_to=moved_to,
        redirects=tuple(Redirect(at, code) for at, code in redirects or ()),
        attempts=attempts,
        requests=requests,
        elapsed=elapsed,
        bytes=count,
        detail=detail,
        picture=picture,
        retry_at=retry_at,
        evidence=evidence or {},
    )


def picture_columns() -> list[sa.Label[Any]]:
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
