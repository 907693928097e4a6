"""One run from end to end: records are read, due targets checked, findings kept, links judged."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

import sqlalchemy as sa

from crawler.beginning import begin
from crawler.bound import lower_bound
from crawler.caching import Keeper, due, open_keeper, picture_check
from crawler.checks.links import LinkRules, link_issues
from crawler.config import Config
from crawler.history import advance
from crawler.plan import address_of, by_lane, with_fragments
from crawler.run import Observer, Running
from crawler.sharing import Joint, Sharing, open_sharing
from crawler.urls import host_of, masked
from crawler.wiring import evidence, freshness, lanes_of, open_running, pace_for, reading_of, rules_of
from crawler.workers import Order, Pool, open_pool
from storage import lock, queries
from storage.catalogue import Catalogue, Place
from storage.database import open_engine
from storage.errors import LockHeld
from storage.ledger import Ledger, end_run
from storage.model import Kind, Link, LinkIssue, Probe, Run, Target
from storage.records import files, read, read_news
from storage.settling import Placed, settle
from storage.shards import moment

AUDIT: Final = "audit"  # the command that leaves the image cache alone
REFRESH: Final = "refresh"  # the one that asks images only
RUN: Final = "run"
WHOLE: Final = frozenset({"finished", "deadline"})  # ends that leave time to make room in the cache
LONG: Final = 60.0  # seconds of a lower bound that are worth a sentence
REPORTED_EVERY: Final = 50  # documents between two words to the observer


@dataclass(frozen=True, slots=True)
class Options:
    """What a command line adds to the configuration; `max_runtime` is in seconds.

    `only` are the ids of the targets to ask, if not all that are due. `signals`: end at SIGTERM and
    Ctrl-C as a program does. `shared`: workers on other machines help.
    """

    command: str = AUDIT
    paths: tuple[str, ...] = ()
    only_kind: tuple[Kind, ...] = ()
    force: bool = False
    max_runtime: float | None = None
    connect_to: tuple[str, ...] = ()
    workers: int = 1
    only: frozenset[int] = frozenset()
    signals: bool = True
    shared: bool = False

    @property
    def kinds(self) -> tuple[Kind, ...] | None:
        """The kinds of links that count: none for all, None if none is left."""
        if self.command != REFRESH:
            return self.only_kind
        return (Kind.IMAGE,) if Kind.IMAGE in (self.only_kind or Kind) else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run that ended: `run.ended` says how."""

    run: Run


async def audit(config: Config, options: Options, observer: Observer) -> Outcome:
    """Check every due target of the records.

    Raises:
        StorageError: records, database or lock cannot be used; what was found before is kept.
        ConfigError: the configuration asks for what cannot be.
    """
    started = time.monotonic()
    engine = open_engine(config.database.url)
    try:
        with lock.hold(engine, options.command) as held:
            run = begin(engine, options.command, observer, shared=options.shared)
            return await _Audit(config, options, observer, engine, run, started, held.check).run_it()
    finally:
        engine.dispose()


class _Audit:
    """One run, from records to the last judged link."""

    def __init__(  # noqa: PLR0917 - the parts of a run, made once
        self,
        config: Config,
        options: Options,
        observer: Observer,
        engine: sa.Engine,
        run: Run,
        started: float,
        still: Callable[[], None],
    ) -> None:
        self._config, self._options, self._observer = config, options, observer
        self._engine, self._run, self._started, self._still = engine, run, started, still
        self._halt: str | None = None
        self._running: Running | Pool | Sharing | None = None

    async def run_it(self) -> Outcome:
        ended: str | None = "failed"
        try:
            with self._signals() if self._options.signals else nullcontext():
                ended = await self._check()
            self._observer.judging()
            await asyncio.to_thread(settle, self._engine, self._judge)
        except asyncio.CancelledError:
            ended = "interrupted"
            raise
        except LockHeld:
            ended = None  # the run goes on under another command
            raise
        finally:
            if ended is not None:
                self._run = end_run(self._engine, self._run, ended, self._now())
        return Outcome(self._run)

    def _now(self) -> datetime:
        """UTC; by the clock that all have in common where the run is shared."""
        return moment(self._engine) if self._options.shared else datetime.now(UTC)

    async def _check(self) -> str:
        async with self._cache() as keeper:
            ended = await self._check_with(keeper)
            if keeper is not None and ended in WHOLE:
                for text in await keeper.make_room(self._engine, self._config.images.cache_size):
                    self._observer.said(text)
            return ended

    def _cache(self) -> AbstractAsyncContextManager[Keeper | None]:
        if self._options.command == AUDIT:
            return nullcontext()
        return open_keeper(self._config, self._engine)

    async def _check_with(self, keeper: Keeper | None) -> str:
        catalogue = Catalogue(self._engine, self._run, self._place, reading=reading_of(self._config))
        await asyncio.to_thread(self._read, catalogue)
        if self._halt is not None:
            return self._halt
        targets = await asyncio.to_thread(self._due, keeper)
        targets = [_with_secret(target, catalogue.secrets) for target in targets]
        probes = await asyncio.to_thread(self._probes)
        judge = partial(advance, evidence=evidence(self._config), freshness=freshness(self._config))
        async with (
            Ledger(self._engine, self._run, judge) as ledger,
            self._open(ledger, keeper, probes) as running,
        ):
            self._running = running
            return await self._visit(running, targets)

    def _open(
        self, ledger: Ledger, keeper: Keeper | None, probes: tuple[Probe, ...]
    ) -> AbstractAsyncContextManager[Running | Pool | Sharing]:
        config, detours, workers = self._config, self._options.connect_to, self._options.workers
        if self._options.shared:
            joint = Joint(config, self._options.command, detours, keeper is not None, probes)
            return open_sharing(joint, self._engine, self._run, ledger, self._observer, self._still)
        if workers > 1:
            order = Order(config, detours, keeper is not None, probes)
            return open_pool(order, ledger, self._observer, workers)
        image = picture_check(config, keeper) if keeper else None
        return open_running(config, detours, ledger, self._observer, image=image, probes=probes)

    def _probes(self) -> tuple[Probe, ...]:
        """What earlier runs learned of sites, if this one may use it."""
        asked = self._config.checks.not_found and self._options.command != REFRESH
        use = asked and self._config.schedule.probe and not self._options.force
        return tuple(queries.probes(self._engine, self._run.started_at)) if use else ()

    def _due(self, keeper: Keeper | None) -> list[Target]:
        options = self._options
        if options.kinds is None:
            return []
        only = options.command == REFRESH
        found = due(self._engine, self._run, options.kinds, keeper, force=options.force, only_cache=only)
        if self._config.checks.fragments and not only:
            found = self._with_fragments(found, options.kinds)
        return [one for one in found if one.id in options.only] if options.only else found

    def _with_fragments(self, found: list[Target], kinds: tuple[Kind, ...]) -> list[Target]:
        every = queries.due(self._engine, self._run, kinds=kinds, force=True)
        named = queries.fragments(self._engine, self._run)
        return list(with_fragments(found, every, named, queries.looked_for(self._engine, named)))

    async def _visit(self, running: Running | Pool | Sharing, targets: list[Target]) -> str:
        lane_of = lanes_of(self._config)
        lanes = Counter(lane_of(host_of(target.url)) for target in targets)
        self._observer.planned(len(targets), len(lanes))
        bound = lower_bound(lanes, partial(pace_for, self._config))
        if bound is not None and bound.seconds >= LONG:
            self._observer.said(str(bound))
        timer = self._deadline(running)
        try:
            await running.check(by_lane(targets, lane_of))
        finally:
            if timer is not None:
                timer.cancel()
            self._running = None
        return running.ended

    def _deadline(self, running: Running | Pool | Sharing) -> asyncio.TimerHandle | None:
        most = self._options.max_runtime
        if most is None:
            return None
        left = max(0.0, most - (time.monotonic() - self._started))
        stop = partial(running.stop, "deadline", "the time for this run is over")
        return asyncio.get_running_loop().call_later(left, stop)

    def _read(self, catalogue: Catalogue) -> None:
        """Read the records; runs in a thread, so it looks for a halt between two files."""
        rules = rules_of(self._config)
        paths = self._options.paths or self._config.records.paths
        found = files(paths, exclude=self._config.records.exclude)
        for number, path in enumerate(found):
            if self._halt is not None or self._over():
                break
            document = read(path, rules) if self._options.force else read_news(path, rules, catalogue.knows)
            if document is not None:
                catalogue.put(document)
            if number % REPORTED_EVERY == 0:
                self._observer.read(catalogue.counts.records, catalogue.counts.links)
        catalogue.close(() if self._halt is not None else paths)
        self._observer.read(catalogue.counts.records, catalogue.counts.links)

    def _over(self) -> bool:
        most = self._options.max_runtime
        if most is None or time.monotonic() - self._started < most:
            return False
        self._halt = "deadline"
        return True

    def _place(self, link: Link) -> Place:
        url = address_of(link, self._config.records.base_url or None)
        return Place(masked(link.text), masked(url), url)

    def _judge(self, record: Sequence[Placed]) -> Mapping[int, Sequence[LinkIssue]]:
        config = self._config
        base = config.records.base_url or None
        cache = self._options.command != AUDIT
        return link_issues(record, LinkRules(config.images.tolerance, config.checks.amp, base, cache))

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """SIGTERM lets what is under way end; SIGINT does not wait for it."""
        loop = asyncio.get_running_loop()
        handlers = {
            signal.SIGTERM: partial(self._stop, "terminated"),
            signal.SIGINT: partial(self._abort, "interrupted"),
        }
        set_: list[signal.Signals] = []
        for number, handler in handlers.items():
            try:
                loop.add_signal_handler(number, handler)
                set_.append(number)
            except (NotImplementedError, ValueError, RuntimeError):
                break  # not the main thread, or not a system with signals: the caller's affair
        try:
            yield
        finally:
            for number in set_:
                loop.remove_signal_handler(number)

    def _stop(self, ended: str) -> None:
        self._halt = self._halt or ended
        if self._running is not None:
            self._running.stop(ended, "the run was told to end")

    def _abort(self, ended: str) -> None:
        self._halt = ended
        if self._running is not None:
            self._running.abort(ended, "the run was interrupted")


def _with_secret(target: Target, secrets: dict[int, str]) -> Target:
    return replace(target, url=secrets[target.id]) if target.id in secrets else target
