"""`linkhealth cache`: look after the image cache."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from crawler.app import REFRESH, Options, audit
from crawler.cli.audit import loop_runner
from crawler.config import Config, load
from crawler.errors import UrlError
from crawler.progress import watch
from crawler.urls import masked, request_url
from storage import lock
from storage.cache import Fault, Store, collect, entries, export, name_of, open_store, repair, verify
from storage.cache.export import LAYOUTS
from storage.database import open_engine
from storage.queries import find

KIB = 1024


@click.group()
def cache() -> None:
    """Look after the image cache."""


@contextmanager
def _opened(config: Config) -> Iterator[tuple[Store, sa.Engine]]:
    """The files and the index of a configuration."""
    engine = open_engine(config.database.url, create=False)
    try:
        yield open_store(config.images.cache), engine
    finally:
        engine.dispose()


@cache.command("verify")
@click.option("--repair", "mend", is_flag=True, help="Remove what is wrong, and fetch it again.")
@click.pass_obj
def verify_(obj: dict[str, Any], *, mend: bool) -> int:
    """Look at every file: is it what its name says, and does the index agree?"""
    config = load(obj["config"])
    with _opened(config) as (blobs, engine), lock.hold(engine, "cache verify"):
        faults = list(verify(blobs, engine))
        for fault in faults:
            click.echo(f"{fault.name}: {fault.why}")
        if mend:
            repair(blobs, engine, faults)
        count = len(entries(engine))
    ours = [fault for fault in faults if fault.ours]
    click.echo(f"{len(ours)} faults, {count} images in the index", err=True)
    return _fetched_again(config, obj, ours) if mend and ours else int(bool(ours))


def _fetched_again(config: Config, obj: dict[str, Any], faults: list[Fault]) -> int:
    """Fetch what was removed; tell whether all of it came."""
    wanted = {target for fault in faults for target in fault.targets}
    with watch(progress=False, quiet=obj["quiet"]) as observer:
        loop_runner()(audit(config, Options(REFRESH, only=frozenset(wanted)), observer))
    with _opened(config) as (_, engine):
        missing = wanted - entries(engine).keys()
    click.echo(f"{len(wanted) - len(missing)} of {len(wanted)} images are back", err=True)
    return int(bool(missing))


@cache.command("gc")
@click.option("--all", "everything", is_flag=True, help="Even what a record still names may go.")
@click.pass_obj
def gc_(obj: dict[str, Any], *, everything: bool) -> int:
    """Make room down to [images] cache_size: what nothing names goes, the least recently confirmed first."""
    config = load(obj["config"])
    with _opened(config) as (blobs, engine), lock.hold(engine, "cache gc"):
        done = collect(blobs, engine, config.images.cache_size, everything=everything)
    gone, left = _amount(done.size), _amount(done.size_left)
    click.echo(f"{done.files} files of {gone} removed, {done.files_left} of {left} left")
    over = done.size_left > config.images.cache_size
    if over:
        click.echo(
            "that is more than [images] cache_size: records name all of it; --all removes it all the same",
            err=True,
        )
    return int(over)


@cache.command("export")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--layout", type=click.Choice(LAYOUTS), default="url", help="Files by URL, or by digest.")
@click.pass_obj
def export_(obj: dict[str, Any], *, folder: Path, layout: str) -> int:
    """Copy the images that records name into FOLDER, with a manifest.json from URL to file."""
    with _opened(load(obj["config"])) as (blobs, engine):
        done = export(blobs, engine, folder, layout)
    click.echo(f"{done.urls} images in {folder}, {done.written} files written")
    return 0


@cache.command("path")
@click.argument("url")
@click.pass_obj
def path_(obj: dict[str, Any], *, url: str) -> int:
    """Print the file that the cache has of URL."""
    with _opened(load(obj["config"])) as (blobs, engine):
        entry = find(engine, masked(_request_url(url))) or find(engine, masked(url))
        kept = entries(engine).get(entry.id) if entry else None
        name = name_of(kept.picture.digest or "", kept.picture.format) if kept else None
        if kept is None or name is None or not blobs.has(name, kept.picture.bytes):
            click.echo(
                f"{masked(url)} is not in the cache: 'linkhealth refresh' brings what records name", err=True
            )
            return 1
        click.echo(blobs.where(name))
    return 0


def _request_url(url: str) -> str:
    try:
        return request_url(url)
    except UrlError:
        return url


def _amount(size: int) -> str:
    """Bytes for people."""
    amount, unit = float(size), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if amount < KIB:
            break
        amount, unit = amount / KIB, larger
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
