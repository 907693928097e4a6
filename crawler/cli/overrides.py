"""Options of a run that stand before keys of the configuration."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from msgspec.structs import replace

from crawler.cli.run_options import RunOptions
from crawler.config import Config, Duration
from crawler.config.ignore import leaves_all_out
from crawler.config.units import BadValue, check_header_text
from storage.errors import system_reason


def overridden(config: Config, options: RunOptions) -> Config:
    """The configuration, with what the command line says instead.

    Raises:
        click.UsageError: a value cannot be.
    """
    network, records = config.network, config.records
    if options["timeout"] is not None:
        network = replace(network, total_timeout=Duration(options["timeout"]))
    if options["concurrency"] is not None:
        network = replace(network, concurrency=options["concurrency"])
    if options["user_agent"] is not None:
        try:
            network = replace(network, user_agent=check_header_text(options["user_agent"]))
        except BadValue as exc:
            raise click.UsageError(f"--user-agent: {exc}") from exc
    if any(map(leaves_all_out, options["exclude"])):
        raise click.UsageError("--exclude: such a pattern leaves everything out: write a part of a URL")
    if options["exclude"]:
        records = replace(records, exclude=(*records.exclude, *options["exclude"]))
    return replace(config, network=network, records=records)


def record_paths(options: RunOptions) -> tuple[str, ...]:
    """The paths of the command line, then those of `--files-from`.

    Raises:
        click.UsageError: that file names none.
    """
    source = options["files_from"]
    if source is None:
        return options["paths"]
    paths = tuple(line for line in _text(source).splitlines() if line.strip())
    if not paths and not options["paths"]:
        raise click.UsageError(f"--files-from {source}: it names no file, one a line")
    return (*options["paths"], *paths)


def _text(source: str) -> str:
    try:
        if source == "-":
            return sys.stdin.read()
        return Path(source).read_text(encoding="utf-8-sig", errors="surrogateescape")
    except OSError as exc:
        raise click.UsageError(f"--files-from {source}: cannot be read: {system_reason(exc)}") from exc
