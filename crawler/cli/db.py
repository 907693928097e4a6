"""`linkhealth db`: look after the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
import sqlalchemy as sa

from crawler.cli.commands import CommandGroup
from crawler.cli.context import CliContext
from crawler.cli.output import write
from crawler.config import Config, load
from crawler.report.escape import printable
from storage.db import database, lock
from storage.db.schema import SCHEMA_VERSION

if TYPE_CHECKING:
    from storage.upkeep.rejudge import DeathCalls, RejudgeResult

# Each of these commands imports what it needs itself: no one needs what two others do.


@click.group(cls=CommandGroup)
def db() -> None:
    """Look after the database."""


@contextmanager
def _opened(config: Config, command: str, *, older: bool = False) -> Iterator[sa.Engine]:
    """The database, held against runs."""
    engine = database.open_engine(config.database.url, create=False, older=older)
    try:
        with lock.hold(engine, f"db {command}"):
            yield engine
    finally:
        engine.dispose()


@db.command()
@click.pass_obj
def upgrade(context: CliContext) -> int:
    """Bring an older database to the schema of this program; nothing in it is lost."""
    from crawler.policies import record_paths  # noqa: PLC0415 - as above
    from storage.catalogue import join_doubled_records  # noqa: PLC0415

    config = load(context.config)
    with _opened(config, "upgrade", older=True) as engine:
        before = database.upgrade(engine)
        join_doubled_records(engine, record_paths(config))
    outcome = "is there already" if before == SCHEMA_VERSION else f"reached, from {before}"
    click.echo(f"schema {SCHEMA_VERSION} {outcome}")
    return 0


@db.command("prune")
@click.pass_obj
def prune_(context: CliContext) -> int:
    """Delete findings older than [database] keep; events, and what tells a state from the next, stay."""
    from storage.upkeep.prune import prune  # noqa: PLC0415 - as above

    config = load(context.config)
    before = datetime.now(UTC) - timedelta(seconds=config.database.keep)
    with _opened(config, "prune") as engine:
        counts = prune(engine, before)
    click.echo(f"{counts.deleted} of {counts.findings} findings deleted")
    return 0


@db.command("rejudge")
@click.option("--write", "keep", is_flag=True, help="Keep what was judged; else it is only told.")
@click.pass_obj
def rejudge_(context: CliContext, *, keep: bool) -> int:
    """Judge every state again from the stored findings, by [state] and [schedule] as they are now."""
    from crawler.engine.revisit import planned_freshness  # noqa: PLC0415 - as above
    from crawler.policies import evidence  # noqa: PLC0415
    from crawler.verdicts.states import advance  # noqa: PLC0415
    from storage.upkeep.rejudge import rejudge  # noqa: PLC0415

    config = load(context.config)
    with _opened(config, "rejudge") as engine:
        intervals = planned_freshness(engine, config, datetime.now(UTC))
        judge = partial(advance, evidence=evidence(config), freshness=intervals)
        result = rejudge(engine, judge, write=keep)
    write(_told(result, keep=keep), None)
    return 0


def _told(result: RejudgeResult, *, keep: bool) -> Iterator[str]:
    for change in result.changed_states:
        yield f"{change.before.value} -> {change.after.value}  {printable(change.url)}\n"
    yield f"{result.targets} targets judged again by {result.findings} findings: "
    yield f"{len(result.changed_states)} {'changed' if keep else 'would change'} their state\n"
    yield f"calls of dead: {_calls(result.after)}; before: {_calls(result.before)}\n"


def _calls(calls: DeathCalls) -> str:
    return f"{calls.dead}, {calls.false} of them false (alive later)"


@db.command()
@click.option("--csv", "form", flag_value="csv", help="As CSV.")
@click.option("--parquet", "form", flag_value="parquet", help="As Parquet; needs linkhealth[parquet].")
@click.argument("path", type=click.Path(path_type=Path))
@click.pass_obj
def export(context: CliContext, form: str | None, path: Path) -> int:
    """Write every table to the folder PATH; to PATH.csv or PATH.parquet, the findings alone."""
    if form is None:
        raise click.UsageError("write --csv or --parquet")
    from storage.upkeep.export import export_csv, export_parquet  # noqa: PLC0415 - as above

    engine = database.open_reader(load(context.config).database.url)
    try:
        files = {"csv": export_csv, "parquet": export_parquet}[form](engine, path)
    finally:
        engine.dispose()
    write((f"{file}\n" for file in files), None)
    return 0
