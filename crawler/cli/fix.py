"""`linkhealth fix`: show, or apply, the safe corrections to the records themselves."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Final, TypedDict, Unpack

import click
import sqlalchemy as sa

from crawler.cli.context import CliContext
from crawler.cli.record_scope import record_folders, record_scope
from crawler.cli.undo import undo_fix
from crawler.config import Config, load
from crawler.fix import (
    CorrectedFile,
    Correction,
    FileLeftAlone,
    FixPolicy,
    FixRule,
    OriginalFile,
    SkippedCorrection,
    collect_corrections,
    correct,
    read_original,
    replace_file,
    uncommitted,
    unified_diff,
    written_edits,
)
from crawler.policies import record_paths, rules_of
from crawler.report.escape import printable, printable_in_full
from storage import edits
from storage.catalogue import RecordPaths
from storage.db.database import open_engine
from storage.db.lock import hold
from storage.edits import EditedFile, TextEdit
from storage.errors import LedgerError
from storage.frozen import frozen
from storage.queries import report as queries
from storage.records import Rules

RULE_NAMES: Final = ", ".join(FixRule)


@frozen
class _FixJob:
    """What to do with every file: show its corrections, or write them; `rules` to read it by.

    `digests` are those of the files that the findings are about, by path; `now` does not wait for a
    second check; `dirty` are the files with changes that git does not have. `known` are the edits of
    files that earlier fixes wrote and that hold just that, by path; `fix` is the number of this one.
    `holds` tells whether a file lies in the paths that are to be corrected.
    """

    engine: sa.Engine
    fix: int
    known: Mapping[str, Collection[TextEdit]]
    holds: Callable[[str], bool]
    rules: Rules
    digests: Mapping[str, str]
    paths: RecordPaths
    write: bool
    now: bool
    dirty: Collection[str]
    quiet: bool


def _rules(_: click.Context, parameter: click.Parameter, value: str | None) -> frozenset[FixRule]:
    """A comma-separated list of rules; all of them without one."""
    names = [name.strip() for name in (value or RULE_NAMES).split(",") if name.strip()]
    unknown = [name for name in names if name not in set(FixRule)]
    if unknown or not names:
        raise click.BadParameter(
            f"{', '.join(unknown) or 'none'}: the rules are {RULE_NAMES}", param=parameter
        )
    return frozenset(map(FixRule, names))


class FixOptions(TypedDict):
    """The values of the options of `fix`."""

    paths: tuple[str, ...]
    write: bool
    now: bool
    force: bool
    rule: frozenset[FixRule]
    other_domains: bool
    undo: str | None


@click.command()
@click.argument("paths", nargs=-1)
@click.option("--write", is_flag=True, help="Apply the corrections; without it, they are shown as a diff.")
@click.option("--now", is_flag=True, help="Write new URLs that no second check has confirmed yet, too.")
@click.option("--rule", callback=_rules, metavar="NAMES", help=f"Of {RULE_NAMES} only these, in a list.")
@click.option("--force", is_flag=True, help="Write files with changes that are not committed to git, too.")
@click.option("--other-domains", is_flag=True, help="Follow redirects to other domains too.")
@click.option(
    "--undo",
    metavar="[RUN]",
    is_flag=False,
    flag_value="",
    help="Put back what the fix of this number wrote, the newest without one.",
)
@click.pass_obj
def fix(context: CliContext, /, **options: Unpack[FixOptions]) -> int:
    """Show, or apply, the safe corrections to the records in PATHS (default: those of the configuration).

    The exit code is 1 if anything was shown or written, or if --undo had to leave a file.
    """
    if options["undo"] is not None:
        return undo_fix(context, options["undo"], options["paths"])
    config = load(context.config)
    engine = open_engine(config.database.url, create=False)
    try:
        with hold(engine, "fix") if options["write"] else nullcontext():
            return _fix(context, config, engine, options)
    finally:
        engine.dispose()


def _fix(context: CliContext, config: Config, engine: sa.Engine, options: FixOptions) -> int:
    paths = record_paths(config)
    takes = record_scope(config, options["paths"])
    if not queries.count_runs(engine):
        raise LedgerError("no run yet: 'linkhealth audit' makes one")
    corrections = collect_corrections(queries.entries(engine), takes, _policy(engine, options))
    digests = queries.digests(engine, corrections.by_file)
    edits_by_path = written_edits(paths, edits.edited_files(engine), digests)
    places = map(paths.location, corrections.by_file)
    dirty = uncommitted(places) if options["write"] and not options["force"] else ()
    rules, number = rules_of(config), edits.next_fix(engine)
    job = _FixJob(
        engine,
        number,
        edits_by_path,
        record_folders(config, options["paths"]),
        rules,
        digests,
        paths,
        options["write"],
        options["now"],
        dirty,
        context.quiet,
    )
    _tell(job, [skip for skip in corrections.skips if skip.path not in edits_by_path])
    counts = [_correct(path, corrections.by_file[path], job) for path in sorted(corrections.by_file)]
    _tell_counts(sum(counts), job)
    return int(any(counts))


def _tell_counts(correction_count: int, job: _FixJob) -> None:
    if not correction_count or job.quiet:
        return
    number = "1 correction" if correction_count == 1 else f"{correction_count:,} corrections"
    pronoun = "it" if correction_count == 1 else "them"
    outcome = f" made; --undo {job.fix} takes {pronoun} back" if job.write else f"; --write makes {pronoun}"
    click.echo(f"{number}{outcome}", err=True)


def _policy(engine: sa.Engine, options: FixOptions) -> FixPolicy:
    suspects = {url for suspect in queries.suspected_placeholders(engine) for url in suspect.urls}
    return FixPolicy(queries.moved_since(engine), suspects, options["other_domains"], options["rule"])


def _correct(path: str, corrections: Sequence[Correction], job: _FixJob) -> int:
    """Show or write what one file needs; how many corrections that were."""
    edit_keys = {(edit.field, edit.rule) for edit in job.known.get(path, ())}
    remaining_changes = [
        change for change in corrections if (change.link.field, change.rule.value) not in edit_keys
    ]
    if not remaining_changes:
        return 0
    try:
        original = _original(path, job)
        edit = correct(path, original.data, _ready(remaining_changes, job), job.rules)
        _tell(job, () if path in job.known else edit.skips)
        if not edit.made:
            return 0
        if job.write:
            _refuse_dirty(original.path, job)
            _write(path, original, edit, job)
        else:
            _show(unified_diff(path, original.data, edit.data))
    except FileLeftAlone as exc:
        if not job.quiet:
            click.echo(f"{printable(path)}: not corrected: {printable(str(exc))}", err=True)
        return 0
    return len(edit.made)


def _original(path: str, job: _FixJob) -> OriginalFile:
    place, digest = job.paths.location(path), job.digests.get(path)
    if not job.holds(place):
        raise FileLeftAlone("a symbolic link leads to it, out of the paths: name its own folder")
    return read_original(place, None if path in job.known else {digest})


def _write(path: str, original: OriginalFile, edit: CorrectedFile, job: _FixJob) -> None:
    """Keep what is to be written first: a kill in between leaves a file that is known in either form."""
    digest_after = hashlib.sha256(edit.data).hexdigest()
    file = EditedFile(path, original.digest, digest_after, edit.edits)
    edits.keep(job.engine, job.fix, file, datetime.now(UTC))
    try:
        replace_file(original, edit.data)
    except FileLeftAlone:
        edits.forget(job.engine, job.fix, path)
        raise


def _refuse_dirty(path: str, job: _FixJob) -> None:
    if path in job.dirty:
        raise FileLeftAlone("it has changes that are not committed to git: commit them first, or use --force")


def _ready(corrections: Sequence[Correction], job: _FixJob) -> Sequence[Correction]:
    """The corrections to show or to write now; of those that wait for another check, the user is told."""
    waiting = [correction for correction in corrections if correction.waits and not job.now]
    _tell(
        job,
        [SkippedCorrection(change.path, change.link, change.waits or "") for change in waiting],
        "not corrected" if job.write else "not to be written yet",
    )
    return [change for change in corrections if change not in waiting] if job.write else corrections


def _show(diff: Iterator[bytes]) -> None:
    """Write a diff: byte by byte for a program, harmless for a terminal."""
    out = sys.stdout.buffer
    for line in diff:
        text = line.decode(errors="backslashreplace").removesuffix("\n")
        out.write(f"{printable_in_full(text)}\n".encode() if out.isatty() else line)
    out.flush()


def _tell(job: _FixJob, skips: Sequence[SkippedCorrection], outcome: str = "not corrected") -> None:
    if job.quiet:
        return
    for skip in sorted(skips, key=_skip_order):
        place = f"{printable(skip.path)}:{skip.link.line}:{skip.link.column}"
        click.echo(f"{place}: {outcome}: {printable(skip.reason)}", err=True)


def _skip_order(skip: SkippedCorrection) -> tuple[str, int, int]:
    return skip.path, skip.link.line, skip.link.column
