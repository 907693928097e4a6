"""`linkhealth db`: look after the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from crawler.cli.output import write
from crawler.config import Config, load
from crawler.history import advance
from crawler.report.safe import shown
from crawler.wiring import evidence, freshness
from storage import database, lock
from storage.schema import HEAD
from storage.upkeep import Calls, Rejudged, export_csv, export_parquet, prune, rejudge


@click.group()
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
def upgrade(obj: dict[str, Any]) -> int:
    """Bring an older database to the schema of this program; nothing in it is lost."""
    with _opened(load(obj["config"]), "upgrade", older=True) as engine:
        before = database.upgrade(engine)
    done = "is there already" if before == HEAD else f"reached, from {before}"
    click.echo(f"schema {HEAD} {done}")
    return 0


@db.command("prune")
@click.pass_obj
def prune_(obj: dict[str, Any]) -> int:
    """Delete findings older than [database] keep; events, and what tells a state from the next, stay."""
    config = load(obj["config"])
    before = datetime.now(UTC) - timedelta(seconds=config.database.keep)
    with _opened(config, "prune") as engine:
        counts = prune(engine, before)
    click.echo(f"{counts.deleted} of {counts.findings} findings deleted")
    return 0


@db.command("rejudge")
@click.option("--write", "keep", is_flag=True, help="Keep what was judged; else it is only told.")
@click.pass_obj
def rejudge_(obj: dict[str, Any], *, keep: bool) -> int:
    """Judge every state again from the stored findings, by [state] and [schedule] as they are now."""
    config = load(obj["config"])
    judge = partial(advance, evidence=evidence(config), freshness=freshness(config))
    with _opened(config, "rejudge") as engine:
        judged = rejudge(engine, judge, write=keep)
    write(_told(judged, keep=keep), None)
    return 0


def _told(judged: Rejudged, *, keep: bool) -> Iterator[str]:
    for one in judged.turned:
        yield f"{one.before.value} -> {one.after.value}  {shown(one.url)}\n"
    yield f"{judged.targets} targets judged again by {judged.findings} findings: "
    yield f"{len(judged.turned)} {'changed' if keep else 'would change'} their state\n"
    yield f"calls of dead: {_calls(judged.after)}; before: {_calls(judged.before)}\n"


def _calls(calls: Calls) -> str:
    return f"{calls.dead}, {calls.false} of them false (alive later)"


@db.command()
@click.option("--csv", "form", flag_value="csv", help="As CSV.")
@click.option("--parquet", "form", flag_value="parquet", help="As Parquet; needs linkhealth[parquet].")
@click.argument("path", type=click.Path(path_type=Path))
@click.pass_obj
def export(obj: dict[str, Any], form: str | None, path: Path) -> int:
    """Write every table to the folder PATH; to PATH.csv or PATH.parquet, the findings alone."""
    if form is None:
        raise click.UsageError("write --csv or --parquet")
    engine = database.open_engine(load(obj["config"]).database.url, create=False)
    try:
        files = {"csv": export_csv, "parquet": export_parquet}[form](engine, path)
    finally:
        engine.dispose()
    write((f"{file}\n" for file in files), None)
    return 0
