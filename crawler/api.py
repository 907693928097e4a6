"""linkhealth for Python programs and notebooks: what `linkhealth audit` does, without its words."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Collection
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeAlias

from crawler import app
from crawler.config import Config, load
from crawler.engine.observer import NullObserver
from crawler.errors import ConfigError
from crawler.report.selection import Selection
from storage.db.database import open_engine, open_reader
from storage.model import Class, Finding, Issue, Kind, Run, State, Verdict
from storage.queries import report as queries
from storage.queries.report import Entry

log: Final = logging.getLogger(__name__)
PathText: TypeAlias = str | os.PathLike[str]
WORDS: Final = {"issues"} | {word.value for words in (Class, Verdict, State, Kind, Issue) for word in words}


async def audit(
    *paths: PathText,
    config: Config | PathText | None = None,
    only_kind: Collection[Kind] = (),
    force: bool = False,
    max_runtime: float | None = None,
) -> list[Entry]:
    """Check every due target of the records in some files and folders, and return all their targets.

    Args:
        paths: files and folders of records; none: `[records] paths`.
        config: a `Config`, the path of a file, or None for `config.toml` here, if there is one.
        only_kind: check links of these kinds alone.
        force: check what is not due, too.
        max_runtime: seconds after which to end; what was not reached then stays due.

    Returns:
        An entry for each target that the records name, asked now or fresh, the worst class first:
        `url`, `verdict`, `state`, `finding` (status, redirects, size of the image, ...), and its
        `links` with their record, line and issues.

    Raises:
        ConfigError: the configuration has mistakes.
        StorageError: the records or the database cannot be used; `LockHeld`: another run uses it.
    """
    settings = _settings(config)
    order = _options(paths, only_kind, force=force, max_runtime=max_runtime)
    run = (await app.audit(settings, order, _Watcher())).run
    return await asyncio.to_thread(_entries, settings, run)


async def findings(
    *paths: PathText,
    config: Config | PathText | None = None,
    only_kind: Collection[Kind] = (),
    force: bool = False,
    max_runtime: float | None = None,
) -> AsyncIterator[Finding]:
    """Check as `audit` does, and yield each finding as it is made; a target may have a second one.

    Whoever leaves the loop early ends the run: what was found is kept, the rest stays due.

    Raises:
        ConfigError: the configuration has mistakes.
        StorageError: the records or the database cannot be used; `LockHeld`: another run uses it.
    """
    watcher = _Watcher()
    order = _options(paths, only_kind, force=force, max_runtime=max_runtime)
    run = asyncio.ensure_future(app.audit(_settings(config), order, watcher))
    run.add_done_callback(lambda _: watcher.queue.put_nowait(None))
    try:
        while (finding := await watcher.queue.get()) is not None:
            yield finding
        await run
    finally:
        if not run.done():
            run.cancel()
            await asyncio.wait({run})


async def states(*, config: Config | PathText | None = None, only: Collection[str] = ()) -> list[Entry]:
    """Return every target that a record names, with what holds of it, from the database alone.

    Args:
        config: as of `audit`.
        only: words of classes, verdicts, states, kinds or issues ("dead", "image", ...), one of which
            has to fit; none: all targets.

    Raises:
        ConfigError: the configuration has mistakes, or a word is none of these.
        StorageError: there is no database, or it cannot be read.
    """
    settings = _settings(config)
    unknown = sorted(set(only) - WORDS)
    if unknown:
        raise ConfigError(f"only: {unknown[0]} is no class, verdict, state, kind or issue")
    return await asyncio.to_thread(_stored, settings, Selection(only=(frozenset(only),) if only else ()))


def _stored(config: Config, selection: Selection) -> list[Entry]:
    engine = open_reader(config.database.url)
    try:
        return list(selection.select(queries.entries(engine)))
    finally:
        engine.dispose()


def _settings(config: Config | PathText | None) -> Config:
    return config if isinstance(config, Config) else load(None if config is None else os.fspath(config))


def _options(
    paths: Collection[PathText], only_kind: Collection[Kind], *, force: bool, max_runtime: float | None
) -> app.Options:
    names = tuple(Path(path).as_posix() for path in paths)
    options = app.Options(app.AUDIT, names, tuple(only_kind), force, max_runtime)
    return replace(options, signals=False)  # they are the affair of the program that asks


def _entries(config: Config, run: Run) -> list[Entry]:
    engine = open_engine(config.database.url)
    try:
        return list(queries.entries(engine, reading_run=run))
    finally:
        engine.dispose()


class _Watcher(NullObserver):
    """Hands findings on, and logs what a person should know."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Finding | None] = asyncio.Queue()

    def read(self, records: int, links: int) -> None:
        log.debug("read %d records with %d links", records, links)

    def planned(self, total: int, lanes: int) -> None:
        log.info("%d targets in %d lanes are due", total, lanes)

    def found(self, finding: Finding) -> None:
        self.queue.put_nowait(finding)

    def judging(self) -> None:
        log.debug("the links are judged")

    def said(self, text: str) -> None:
        log.warning("%s", text)
