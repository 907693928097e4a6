"""The tables. `docs/database.md` tells what each column means; `migrations/` how they came to be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

from storage.model import RunEnd

SCHEMA_VERSION: Final = "0014"  # the newest migration; a test holds it true


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time, stored as UTC without a zone, since SQLite knows none."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Turn an aware time into UTC."""
        del dialect
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Make the stored time aware again."""
        del dialect
        return None if value is None else value.replace(tzinfo=UTC)


class RunEndText(TypeDecorator[RunEnd]):
    """How a run ended, stored as its word."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: RunEnd | None, dialect: sa.Dialect) -> str | None:
        """Turn an end into its word."""
        del dialect
        return None if value is None else value.value

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> RunEnd | None:
        """Make an end of a stored word."""
        del dialect
        return None if value is None else RunEnd(value)


# Indexes of some rows only are so on PostgreSQL, too, by migrations 0005 and 0008: to say it here
# as well would load that dialect at every start.
metadata: Final = sa.MetaData()

run: Final = sa.Table(
    "run",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("command", sa.String, nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("finished_at", UtcDateTime),
    sa.Column("ended", RunEndText),
)
record: Final = sa.Table(
    "record",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("path", sa.String, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("size", sa.BigInteger),
    sa.Column("mtime_ns", sa.BigInteger),
    sa.Column("digest", sa.String),
    sa.Column("seen_run", sa.Integer, nullable=False, index=True),
    sa.Column("severity", sa.Integer, nullable=False, server_default="0"),
    sa.Column("faults", sa.Integer, nullable=False, server_default="0"),
    sa.UniqueConstraint("path", "number"),
)
HAS_SEVERITY: Final = sa.text("severity > 0")
sa.Index(
    "ix_record_worst",
    record.c.severity.desc(),
    record.c.faults.desc(),
    record.c.path,
    record.c.number,
    sqlite_where=HAS_SEVERITY,
)
source: Final = sa.Table(
    "source",
    metadata,
    sa.Column("path", sa.String, primary_key=True),
    sa.Column("digest", sa.String, nullable=False),
    sa.Column("reading", sa.String, nullable=False),
    sa.Column("records", sa.Integer, nullable=False),
    sa.Column("links", sa.Integer, nullable=False),
)
problem: Final = sa.Table(
    "problem",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("path", sa.String, nullable=False, index=True),
    sa.Column("line", sa.Integer),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("seen_run", sa.Integer, nullable=False, index=True),
)
target: Final = sa.Table(
    "target",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("url", sa.String, nullable=False),
    sa.Column("host", sa.String, nullable=False, index=True),
    sa.Column("state", sa.String, nullable=False, server_default="new"),
    sa.Column("since", UtcDateTime),
    sa.Column("failing_since", UtcDateTime),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("hard_since", UtcDateTime),
    sa.Column("hard", sa.Integer, nullable=False, server_default="0"),
    sa.Column("alive_streak", sa.Integer, nullable=False, server_default="0"),
    sa.Column("turns", sa.String),
    sa.Column("checked_at", UtcDateTime),
    sa.Column("next_due", UtcDateTime),
    sa.Column("hazard", sa.Float),
    sa.Column("last_run", sa.Integer),
    sa.Column("kind", sa.String),
    sa.Column("verdict", sa.String),
    sa.Column("severity", sa.Integer, nullable=False, server_default="0"),
    sa.Column("added_at", UtcDateTime),
    sa.Index("ix_target_verdict", "verdict", "kind"),
    # A tree of PostgreSQL takes no text over 2,700 bytes: there, a hash keeps URLs apart (0013).
    sa.UniqueConstraint("url").ddl_if(dialect="sqlite"),
)
# Few targets fail, so this is small; it has every column that the page of them filters or sorts by.
sa.Index(
    "ix_target_failing",
    target.c.severity.desc(),
    target.c.failing_since,
    target.c.kind,
    target.c.state,
    target.c.verdict,
    target.c.host,
    target.c.checked_at,
    sqlite_where=HAS_SEVERITY,
)
sa.Index(
    "ix_target_failing_url",
    target.c.url,
    target.c.severity,
    sqlite_where=HAS_SEVERITY,
).ddl_if(dialect="sqlite")
link: Final = sa.Table(
    "link",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("record_id", sa.ForeignKey("record.id"), nullable=False, index=True),
    sa.Column("target_id", sa.ForeignKey("target.id"), nullable=False, index=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("field", sa.String, nullable=False),
    sa.Column("item", sa.String, nullable=False),
    sa.Column("line", sa.Integer, nullable=False),
    sa.Column("column", sa.Integer, nullable=False),
    sa.Column("text", sa.String, nullable=False),
    sa.Column("declared", sa.JSON(none_as_null=True)),
    sa.Column("first_run", sa.Integer, nullable=False),
    sa.Column("closed_run", sa.Integer),
    sa.Column("judged_run", sa.Integer),
)
link_issue: Final = sa.Table(
    "link_issue",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("link_id", sa.ForeignKey("link.id"), nullable=False, index=True),
    sa.Column("issue", sa.String, nullable=False, index=True),
    sa.Column("expected", sa.String),
    sa.Column("actual", sa.String),
)
finding: Final = sa.Table(
    "finding",
    metadata,
    sa.Column("run_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("target_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("verdict", sa.String, nullable=False),
    sa.Column("class", sa.String, nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("final_url", sa.String),
    sa.Column("moved_to", sa.String),
    sa.Column("redirects", sa.JSON(none_as_null=True)),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("requests", sa.Integer, nullable=False),
    sa.Column("elapsed", sa.Float, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("checked_at", UtcDateTime, nullable=False),
    sa.Column("detail", sa.String),
    sa.Column("retry_at", UtcDateTime),
    sa.Column("evidence", sa.JSON(none_as_null=True)),
    sa.Index("ix_finding_target", "target_id", "run_id"),
    sqlite_with_rowid=False,
)
hop: Final = sa.Table(
    "hop",
    metadata,
    sa.Column("run_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("target_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("method", sa.String, nullable=False),
    sa.Column("url", sa.String, nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("error", sa.String),
    sa.Column("elapsed", sa.Float, nullable=False),
    sa.Column("address", sa.String),
    sqlite_with_rowid=False,
)
image: Final = sa.Table(
    "image",
    metadata,
    sa.Column("run_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("target_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("width", sa.Integer),
    sa.Column("height", sa.Integer),
    sa.Column("stored_width", sa.Integer),
    sa.Column("stored_height", sa.Integer),
    sa.Column("orientation", sa.Integer, nullable=False),
    sa.Column("format", sa.String, nullable=False),
    sa.Column("frames", sa.Integer),
    sa.Column("mode", sa.String),
    sa.Column("bytes", sa.BigInteger),
    sa.Column("digest", sa.String, index=True),
    sa.Column("cached", sa.String),
    sqlite_with_rowid=False,
)
cached: Final = sa.Table(
    "cached",
    metadata,
    sa.Column("target_id", sa.ForeignKey("target.id"), primary_key=True, autoincrement=False),
    sa.Column("digest", sa.String, nullable=False, index=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("format", sa.String, nullable=False),
    sa.Column("width", sa.Integer),
    sa.Column("height", sa.Integer),
    sa.Column("stored_width", sa.Integer),
    sa.Column("stored_height", sa.Integer),
    sa.Column("orientation", sa.Integer, nullable=False),
    sa.Column("frames", sa.Integer),
    sa.Column("mode", sa.String),
    sa.Column("proof", sa.String, nullable=False),
    sa.Column("url", sa.String, nullable=False),
    sa.Column("etag", sa.String),
    sa.Column("last_modified", sa.String),
    sa.Column("cache_control", sa.String),
    sa.Column("age", sa.String),
    sa.Column("expires", sa.String),
    sa.Column("vary", sa.String),
    sa.Column("content_type", sa.String),
    sa.Column("date", sa.String),
    sa.Column("stored_at", UtcDateTime, nullable=False),
    sa.Column("confirmed_at", UtcDateTime, nullable=False),
)
event: Final = sa.Table(
    "event",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("target_id", sa.ForeignKey("target.id"), nullable=False, index=True),
    sa.Column("run_id", sa.Integer, nullable=False, index=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("from_state", sa.String, nullable=False),
    sa.Column("to_state", sa.String, nullable=False),
)
# A new target that is alive is no news; the first run makes one of each.
IS_NEWS: Final = sa.text("(from_state <> 'new' OR to_state <> 'alive')")
sa.Index(
    "ix_event_news",
    event.c.run_id,
    event.c.to_state,
    event.c.from_state,
    sqlite_where=IS_NEWS,
)
tally: Final = sa.Table(
    "tally",
    metadata,
    sa.Column("run_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String, primary_key=True),
    sa.Column("state", sa.String, primary_key=True),
    sa.Column("verdict", sa.String, primary_key=True),
    sa.Column("targets", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)
host_tally: Final = sa.Table(
    "host_tally",
    metadata,
    sa.Column("run_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("host", sa.String, primary_key=True),
    sa.Column("targets", sa.Integer, nullable=False),
    sa.Column("requests", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("errors", sa.Integer, nullable=False),
    sa.Column("spared", sa.Integer, nullable=False),
    sa.Column("waited", sa.Float, nullable=False),
    sa.Column("rate", sa.Float),
    sa.Column("p50", sa.Float),
    sa.Column("p95", sa.Float),
    sa.Column("slowest", sa.Float),
    sa.Column("verdicts", sa.JSON, nullable=False),
    sqlite_with_rowid=False,
)
image_change: Final = sa.Table(
    "image_change",
    metadata,
    sa.Column("run_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("target_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("was", sa.String, nullable=False),
    sa.Column("digest", sa.String, nullable=False),
    sa.Column("differs", sa.Integer),
    sqlite_with_rowid=False,
)
image_shared: Final = sa.Table(
    "image_shared",
    metadata,
    sa.Column("digest", sa.String, primary_key=True),
    sa.Column("targets", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)
pin: Final = sa.Table(
    "pin",
    metadata,
    sa.Column("url", sa.String, primary_key=True),
    sa.Column("word", sa.String, nullable=False),
    sa.Column("why", sa.String, nullable=False),
    sa.Column("author", sa.String, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)
probe: Final = sa.Table(
    "probe",
    metadata,
    sa.Column("folder", sa.String, primary_key=True),
    sa.Column("asked", sa.String, nullable=False),
    sa.Column("final", sa.String, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("said", sa.JSON(none_as_null=True), nullable=False),
    sa.Column("asked_at", UtcDateTime, nullable=False),
    sa.Column("due_at", UtcDateTime, nullable=False),
)
plan: Final = sa.Table(
    "plan",
    metadata,
    sa.Column("run_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("shards", sa.Integer, nullable=False),
    sa.Column("targets", sa.Integer, nullable=False),
    sa.Column("lanes", sa.Integer, nullable=False),
    sa.Column("bound", sa.Float, nullable=False),
    sa.Column("bound_lane", sa.String, nullable=False),
    sa.Column("terms", sa.JSON, nullable=False),
)
shard: Final = sa.Table(
    "shard",
    metadata,
    sa.Column("run_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("weight", sa.Float, nullable=False),
    sa.Column("targets", sa.Integer, nullable=False),
    sa.Column("lanes", sa.Integer, nullable=False),
    sa.Column("remaining", sa.Integer, nullable=False),
    sa.Column("owner", sa.String),
    sa.Column("epoch", sa.Integer, nullable=False, server_default="0"),
    sa.Column("lease_until", UtcDateTime),
    sa.Column("done", sa.Boolean, nullable=False, server_default=sa.false()),
)
task: Final = sa.Table(
    "task",
    metadata,
    sa.Column("run_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("target_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("shard", sa.Integer, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("fragments", sa.JSON(none_as_null=True)),
    sa.Index("ix_task_shard", "run_id", "shard"),
    sqlite_with_rowid=False,
)
lane: Final = sa.Table(
    "lane",
    metadata,
    sa.Column("run_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("shard", sa.Integer, nullable=False),
    sa.Column("next_ok", UtcDateTime),
    sa.Column("visited", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("agreed", sa.Integer, nullable=False, server_default="-1"),
    sa.Index("ix_lane_shard", "run_id", "shard"),
)
worker: Final = sa.Table(
    "worker",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("run_id", sa.Integer, nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("seen_at", UtcDateTime, nullable=False),
    sa.Column("found", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("rate", sa.Float, nullable=False, server_default="0"),
    sa.Column("idle", sa.Boolean, nullable=False, server_default=sa.false()),
)
# The bits of a look, and the same in four parts: looks that differ in three bits share a part.
look: Final = sa.Table(
    "look",
    metadata,
    sa.Column("digest", sa.String, primary_key=True),
    sa.Column("bits", sa.BigInteger, nullable=False),
    *(sa.Column(f"part{number}", sa.Integer, nullable=False, index=True) for number in range(4)),
    sqlite_with_rowid=False,
)
# No key leads from one to the other: what was written outlives the targets and records of its day.
edited_file: Final = sa.Table(
    "edited_file",
    metadata,
    sa.Column("fix", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("path", sa.String, primary_key=True),
    sa.Column("digest_before", sa.String, nullable=False),
    sa.Column("digest_after", sa.String, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("undone_at", UtcDateTime),
)
edit: Final = sa.Table(
    "edit",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("fix", sa.Integer, nullable=False),
    sa.Column("path", sa.String, nullable=False),
    sa.Column("field", sa.String, nullable=False),
    sa.Column("rule", sa.String, nullable=False),
    sa.Column("url", sa.String, nullable=False),
    sa.Column("start", sa.Integer, nullable=False),
    sa.Column("old_text", sa.String, nullable=False),
    sa.Column("new_text", sa.String, nullable=False),
    sa.Index("ix_edit_file", "fix", "path"),
)
