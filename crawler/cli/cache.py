"""`linkhealth cache`: look after the image cache."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import sqlalchemy as sa

from crawler.app import REFRESH, Options, audit
from crawler.cli.choice import WordChoice
from crawler.cli.commands import CommandGroup
from crawler.cli.context import CliContext
from crawler.config import Config, load
from crawler.progress import watch
from crawler.runtime import run_loop
from crawler.urls import masked, typed_url
from storage.db import lock
from storage.db.database import open_engine
from storage.image_cache import (
    BlobStore,
    CacheFault,
    claim,
    collect,
    entries,
    export,
    name_of,
    open_store,
    repair,
    verify,
)
from storage.image_cache.export import EXPORT_LAYOUTS
from storage.image_cache.statistics import statistics_of
from storage.queries.report import find

BYTES_PER_KIB = 1024


@click.group(cls=CommandGroup)
def cache() -> None:
    """Look after the image cache."""


@contextmanager
def _opened(config: Config) -> Iterator[tuple[BlobStore, sa.Engine]]:
    """The files and the index of a configuration."""
    engine = open_engine(config.database.url, create=False)
    try:
        yield open_store(config.images.cache), engine
    finally:
        engine.dispose()


@cache.command("verify")
@click.option("--repair", "mend", is_flag=True, help="Remove what is wrong, and fetch it again.")
@click.pass_obj
def verify_(context: CliContext, *, mend: bool) -> int:
    """Look at every file: is it what its name says, and does the index agree?"""
    config = load(context.config)
    with _opened(config) as (blobs, engine), lock.hold(engine, "cache verify"):
        faults = list(verify(blobs, engine))
        for fault in faults:
            click.echo(f"{fault.name}: {fault.why}")
        if mend:
            claim(blobs, engine)
            repair(blobs, engine, faults)
        count = len(entries(engine))
    own_faults = [fault for fault in faults if fault.ours]
    click.echo(f"{len(own_faults)} faults, {count} images in the index", err=True)
    return _fetched_again(config, context, own_faults) if mend and own_faults else int(bool(own_faults))


def _fetched_again(config: Config, context: CliContext, faults: list[CacheFault]) -> int:
    """Fetch what was removed; tell whether all of it came."""
    target_ids = {target for fault in faults for target in fault.targets}
    with watch(progress=False, quiet=context.quiet) as observer:
        run_loop(audit(config, Options(REFRESH, only=frozenset(target_ids)), observer))
    with _opened(config) as (_, engine):
        missing = target_ids - entries(engine).keys()
    click.echo(f"{len(target_ids) - len(missing)} of {len(target_ids)} images are back", err=True)
    return int(bool(missing))


@cache.command("gc")
@click.option("--all", "everything", is_flag=True, help="Even what a record still names may go.")
@click.pass_obj
def gc_(context: CliContext, *, everything: bool) -> int:
    """Make room down to [images] cache_size: what nothing names goes, the least recently confirmed first."""
    config = load(context.config)
    with _opened(config) as (blobs, engine), lock.hold(engine, "cache gc"):
        claim(blobs, engine)
        sweep = collect(blobs, engine, config.images.cache_size, everything=everything)
    bytes_removed, bytes_left = _amount(sweep.size), _amount(sweep.size_left)
    click.echo(f"{sweep.files} files of {bytes_removed} removed, {sweep.files_left} of {bytes_left} left")
    over = sweep.size_left > config.images.cache_size
    if over:
        click.echo(
            "that is more than [images] cache_size: records name all of it; --all removes it all the same",
            err=True,
        )
    return int(over)


@cache.command("export")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--layout", type=WordChoice(EXPORT_LAYOUTS), default="url", help="Files by URL, or by digest.")
@click.option("--delete", is_flag=True, help="Remove files of earlier exports that no record names any more.")
@click.pass_obj
def export_(context: CliContext, *, folder: Path, layout: str, delete: bool) -> int:
    """Copy the images that records name into FOLDER, with a manifest.json from URL to file."""
    with _opened(load(context.config)) as (blobs, engine):
        counts = export(blobs, engine, folder, layout, delete=delete)
    removal = f", {counts.deleted} removed" if delete else ""
    click.echo(f"{counts.urls} images in {folder}, {counts.written} files written{removal}")
    return 0


@cache.command("stats")
@click.pass_obj
def stats_(context: CliContext) -> int:
    """Show what the cache holds: images, bytes, hosts, ages, and how often a picture was unchanged."""
    with _opened(load(context.config)) as (_, engine):
        for name, value in statistics_of(engine).lines():
            click.echo(f"{name:<12} {value}")
    return 0


@cache.command("path")
@click.argument("url")
@click.pass_obj
def path_(context: CliContext, *, url: str) -> int:
    """Print the file that the cache has of URL."""
    with _opened(load(context.config)) as (blobs, engine):
        entry = find(engine, masked(typed_url(url))) or find(engine, masked(url))
        cached_image = entries(engine).get(entry.id) if entry else None
        picture = cached_image.picture if cached_image else None
        name = name_of(picture.digest or "", picture.format) if picture else None
        if picture is None or name is None or not blobs.has(name, picture.bytes):
            click.echo(
                f"{masked(url)} is not in the cache: 'linkhealth refresh' brings what records name", err=True
            )
            return 1
        click.echo(blobs.where(name))
    return 0


def _amount(size: int) -> str:
    """Bytes for people."""
    amount, unit = float(size), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if amount < BYTES_PER_KIB:
            break
        amount, unit = amount / BYTES_PER_KIB, larger
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
