"""`linkhealth fix`: show, or apply, the safe corrections to the records themselves."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import click

from crawler.config import Config, load
from crawler.fixing import Refused, Skip, Wish, correct, gather, keep, take, unified
from crawler.report.safe import shown, whole
from crawler.wiring import rules_of
from storage import queries
from storage.database import open_engine
from storage.errors import LedgerError
from storage.records import Rules, files


@dataclass(frozen=True, slots=True)
class _Job:
    """What to do with every file: show its corrections, or write them; `rules` to read it by.

    `digests` are those of the files that the findings are about, by path.
    """

    rules: Rules
    digests: Mapping[str, str]
    write: bool
    quiet: bool


@click.command()
@click.argument("paths", nargs=-1)
@click.option("--write", is_flag=True, help="Apply the corrections; else they are shown as a diff.")
@click.option("--other-domains", is_flag=True, help="Follow redirects to other domains, too.")
@click.pass_obj
def fix(obj: dict[str, Any], /, **options: Any) -> int:
    """Show, or apply, the safe corrections to the records in PATHS (default: those of the configuration).

    The exit code is 1 if anything was shown or written.
    """
    config = load(obj["config"])
    takes = _named(config, options["paths"])
    engine = open_engine(config.database.url, create=False)
    try:
        if not queries.count_runs(engine):
            raise LedgerError("no run yet: 'linkhealth audit' makes one")
        wishes = gather(queries.entries(engine), takes, other_domains=options["other_domains"])
        digests = queries.digests(engine, wishes.by_file)
    finally:
        engine.dispose()
    job = _Job(rules_of(config), digests, options["write"], obj["quiet"])
    made = 0
    _tell(job, wishes.skips)
    for path in sorted(wishes.by_file):
        made += _correct(path, wishes.by_file[path], job)
    if made and not job.quiet:
        done = "corrections made" if job.write else "corrections; --write makes them"
        click.echo(f"{made} {done}", err=True)
    return int(made > 0)


def _named(config: Config, paths: Sequence[str]) -> Callable[[str], bool]:
    """Whether a file is one of those asked for, however its path is spelt."""
    asked = files(paths or config.records.paths, exclude=config.records.exclude)
    wanted = {_real(path) for path in asked}
    return cache(lambda path: _real(path) in wanted)


def _real(path: str) -> str:
    """The folder without symbolic links, and the name as it is: a link is not its target."""
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)  # noqa: PTH118 - no Path for each link


def _correct(path: str, wishes: Sequence[Wish], job: _Job) -> int:
    """Show or write what one file needs; how many corrections that were."""
    try:
        original = take(path, job.digests.get(path))
        found = correct(path, original.data, wishes, job.rules)
        _tell(job, found.skips)
        if not found.made:
            return 0
        if job.write:
            keep(original, found.data)
        else:
            _show(unified(path, original.data, found.data))
    except Refused as exc:
        if not job.quiet:
            click.echo(f"{shown(path)}: not corrected: {shown(str(exc))}", err=True)
        return 0
    return len(found.made)


def _show(diff: Iterator[bytes]) -> None:
    """Write a diff: byte by byte for a program, harmless for a terminal."""
    out = sys.stdout.buffer
    for line in diff:
        text = line.decode(errors="backslashreplace").removesuffix("\n")
        out.write(f"{whole(text)}\n".encode() if out.isatty() else line)
    out.flush()


def _tell(job: _Job, skips: Sequence[Skip]) -> None:
    if job.quiet:
        return
    for one in sorted(skips, key=lambda skip: (skip.path, skip.link.line, skip.link.column)):
        place = f"{shown(one.path)}:{one.link.line}:{one.link.column}"
        click.echo(f"{place}: not corrected: {shown(one.reason)}", err=True)
