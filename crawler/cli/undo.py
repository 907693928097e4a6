"""Putting back what `linkhealth fix` wrote, as far as nothing has changed since."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import click
import sqlalchemy as sa

from crawler.cli.context import CliContext
from crawler.cli.record_scope import record_scope
from crawler.config import load
from crawler.fix import CHANGED_SINCE_REASON, FileLeftAlone, put_back, read_original, replace_file
from crawler.policies import record_paths
from crawler.report.escape import printable
from crawler.report.phrases import counted
from storage import edits
from storage.catalogue import RecordPaths
from storage.db.database import open_engine
from storage.db.lock import hold
from storage.edits import EditedFile
from storage.errors import LedgerError


def undo_fix(context: CliContext, value: str, names: Sequence[str]) -> int:
    """Put back what a fix wrote; a value that is no number is the first of the paths.

    Raises:
        LedgerError: there is no such fix, or the database cannot be used.
    """
    config = load(context.config)
    number = int(value) if value.isascii() and value.isdigit() else None
    scope = (*((value,) if value and number is None else ()), *names)
    engine = open_engine(config.database.url, create=False)
    try:
        with hold(engine, "fix --undo"):
            takes = record_scope(config, scope) if scope else None
            return _undo(engine, record_paths(config), number, takes, quiet=context.quiet)
    finally:
        engine.dispose()


def _undo(
    engine: sa.Engine,
    paths: RecordPaths,
    number: int | None,
    takes: Callable[[str], bool] | None,
    *,
    quiet: bool,
) -> int:
    """Give the files of a fix, the newest without a number, their old bytes back; 1 if any is left.

    `takes` tells which files; None: all.

    Raises:
        LedgerError: there is no such fix, or the database cannot be used.
    """
    fix = edits.last_fix(engine) if number is None else number
    files = [] if fix is None else edits.edited_files(engine, fix)
    if fix is None or not files:
        raise LedgerError("nothing that 'linkhealth fix --write' wrote is left to be put back")
    scope_files = [file for file in files if takes is None or takes(file.path)]
    old_files = [file for file in scope_files if _is_restored(file, paths)]
    for file in old_files:
        edits.mark_undone(engine, fix, file.path, datetime.now(UTC))
    if not quiet:
        click.echo(f"{counted(len(old_files), 'file')} put back as before fix {fix}", err=True)
    return int(len(old_files) < len(scope_files))


def _is_restored(file: EditedFile, paths: RecordPaths) -> bool:
    """Put one file back; whether it holds its old bytes now."""
    try:
        original = read_original(paths.location(file.path), {file.digest_before, file.digest_after})
        if original.digest != file.digest_before:
            replace_file(original, put_back(file, original.data))
    except FileLeftAlone as exc:
        reason = CHANGED_SINCE_REASON if exc.changed else str(exc)
        click.echo(f"{printable(file.path)}: not put back: {printable(reason)}", err=True)
        return False
    return True
