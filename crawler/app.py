"""The composition root: opens everything, nests the fetch onion, and runs one run.

The only module that knows every part.
"""

from __future__ import annotations

import asyncio
import signal
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from functools import lru_cache, partial
from typing import Final

import sqlalchemy as sa

from crawler.checks.base import Check
from crawler.checks.image import ImageCheck
from crawler.checks.links import LinkRules, link_issues
from crawler.checks.page import PageCheck
from crawler.config import Config, HostRules, parse_detour
from crawler.errors import ConfigError
from crawler.fetch.base import Fetch
from crawler.fetch.breaker import Breaker, Circuits
from crawler.fetch.dial import Dialer, Dialling
from crawler.fetch.dns import AddressBook, SystemResolver
from crawler.fetch.guard import Guard
from crawler.fetch.head_first import head_first
from crawler.fetch.http import Client, Http, open_session
from crawler.fetch.pace import Courtesy, pace
from crawler.fetch.redirects import Chain, redirects
from crawler.fetch.retry import Retry, retry
from crawler.fetch.robots import robots
from crawler.lanes import Pace, Turnstile
from crawler.plan import address_of, by_lane, excluding
from crawler.run import Observer, Running, Store
from crawler.urls import host_of, lane_key, masked
from crawler.verdict import Evidence, Freshness, advance
from crawler.visit import Visitor
from storage import lock, queries
from storage.catalogue import Catalogue, Place
from storage.database import open_engine, path_of
from storage.ledger import Ledger, begin_run, end_run
from storage.model import Kind, Link, LinkIssue, Run, Target
from storage.records import DEFAULT_RULES, Rules, files, read
from storage.settling import Placed, settle

REPORTED_EVERY: Final = 50  # documents between two words to the observer


@dataclass(frozen=True, slots=True)
class Options:
    """What a command line adds to the configuration; `max_runtime` is in seconds."""

    command: str = "audit"
    paths: tuple[str, ...] = ()
    only_kind: tuple[Kind, ...] = ()
    force: bool = False
    max_runtime: float | None = None
    connect_to: tuple[str, ...] = ()


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
        with lock.hold(path_of(engine), options.command):
            run = begin_run(engine, options.command, datetime.now(UTC))
            return await _Audit(config, options, observer, engine, run, started).run_it()
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
    ) -> None:
        self._config, self._options, self._observer = config, options, observer
        self._engine, self._run, self._started = engine, run, started
        self._halt: str | None = None
        self._running: Running | None = None

    async def run_it(self) -> Outcome:
        ended = "failed"
        try:
            with self._signals():
                ended = await self._check()
            await asyncio.to_thread(settle, self._engine, self._judge)
        finally:
            now = datetime.now(UTC)
            self._run = end_run(self._engine, self._run, ended, now)
        return Outcome(self._run)

    async def _check(self) -> str:
        catalogue = Catalogue(self._engine, self._run, self._place)
        await asyncio.to_thread(self._read, catalogue)
        if self._halt is not None:
            return self._halt
        find = partial(queries.due, kinds=self._options.only_kind, force=self._options.force)
        targets = await asyncio.to_thread(find, self._engine, self._run)
        targets = [_with_secret(target, catalogue.secrets) for target in targets]
        judge = partial(advance, evidence=evidence(self._config), freshness=freshness(self._config))
        async with (
            Ledger(self._engine, self._run, judge) as ledger,
            open_running(self._config, self._options, ledger, self._observer) as running,
        ):
            self._running = running
            return await self._visit(running, targets)

    async def _visit(self, running: Running, targets: list[Target]) -> str:
        lane_of = lanes_of(self._config)
        lanes = {lane_of(host_of(target.url)) for target in targets}
        self._observer.planned(len(targets), len(lanes))
        timer = self._deadline(running)
        try:
            await running.check(by_lane(targets, lane_of))
        finally:
            if timer is not None:
                timer.cancel()
            self._running = None
        return running.ended

    def _deadline(self, running: Running) -> asyncio.TimerHandle | None:
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
            catalogue.put(read(path, rules))
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
        return link_issues(record, LinkRules(config.images.tolerance, config.checks.amp, base))

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


def rules_of(config: Config) -> Rules:
    """The rules for fields: the defaults, with those of the configuration; an empty kind ends one."""
    said = config.records.fields
    ours = {rule: kind for rule, kind in DEFAULT_RULES.items() if rule not in said}
    return {**ours, **{rule: Kind(kind) for rule, kind in said.items() if kind}}


def evidence(config: Config) -> Evidence:
    """The figures of `[state]`."""
    state = config.state
    hard, soft = timedelta(seconds=state.hard_span), timedelta(seconds=state.soft_span)
    return Evidence(state.hard_failures, hard, state.soft_failures, soft)


def freshness(config: Config) -> Freshness:
    """The figures of `[schedule]`."""
    plan = config.schedule
    return Freshness(
        timedelta(seconds=plan.alive),
        tuple(timedelta(seconds=step) for step in plan.failing),
        timedelta(seconds=plan.dead),
        timedelta(seconds=plan.unknown),
        plan.splay,
    )


def lanes_of(config: Config) -> Callable[[str], str]:
    """Which lane a host belongs to."""
    patterns = tuple(config.hosts.patterns)

    @lru_cache(maxsize=65_536)
    def lane_of(host: str) -> str:
        return lane_key(host, patterns, config.hosts.join)

    return lane_of


def rules_for(config: Config, name: str) -> HostRules:
    """What is said of a lane, or of a host: the first pattern that names it."""
    patterns = config.hosts.patterns
    if name in patterns:
        return patterns[name]
    fits = (rules for pattern, rules in patterns.items() if fnmatchcase(name, pattern))
    return next(fits, HostRules())


def pace_for(config: Config, lane: str) -> Pace:
    """How one lane may be asked."""
    hosts, own = config.hosts, rules_for(config, lane)
    return Pace(
        hosts.per_host if own.per_host is None else own.per_host,
        hosts.interval if own.interval is None else own.interval,
        hosts.adaptive if own.adaptive is None else own.adaptive,
        hosts.max_interval if own.max_interval is None else own.max_interval,
    )


def breaker_for(config: Config, host: str) -> Breaker:
    """When one host is down."""
    own = rules_for(config, host)
    failures = config.hosts.breaker if own.breaker is None else own.breaker
    return Breaker(failures, config.retry.attempts)


def tls_context(config: Config) -> ssl.SSLContext:
    """The one TLS context of a run.

    Raises:
        ConfigError: the file of roots cannot be read.
    """
    path = config.network.ca_file or None
    try:
        return ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError) as exc:
        raise ConfigError(f"[network] ca_file: {path} cannot be read as certificates") from exc


def dialling(config: Config, options: Options) -> Dialling:
    """How to dial: the operator's detours, the command line's first."""
    texts = (*options.connect_to, *config.network.connect_to)
    proxy = config.network.proxy
    return Dialling(
        config.network.connect_timeout,
        config.network.connect_timeout,
        tuple(parse_detour(text) for text in texts),
        frozenset({host_of(proxy)}) if proxy else frozenset(),
    )


def checks_of(config: Config) -> dict[Kind, Check]:
    """The check of each kind."""
    page = PageCheck(config.network.max_body)
    image = ImageCheck(config.images.max_bytes, config.images.max_pixels)
    return {Kind.WEB: page, Kind.AMP: page, Kind.AMP_CDN: page, Kind.IMAGE: image}


@asynccontextmanager
async def open_running(
    config: Config, options: Options, ledger: Store, observer: Observer
) -> AsyncIterator[Running]:
    """Everything that one run needs of the network, opened and nested."""
    running = Running(ledger, observer)
    running.turnstile = Turnstile(
        config.network.concurrency,
        partial(pace_for, config),
        running.work,
        running.dropped,
    )
    book = AddressBook(SystemResolver(), timeout=config.network.connect_timeout)
    guard = Guard(config.network.allow_networks)
    dialer = Dialer(book, guard, dialling(config, options), tls_context(config))
    network = config.network
    client = Client(network.user_agent, network.read_timeout, network.proxy or None)
    try:
        async with open_session(dialer, client) as session:
            running.visitor = Visitor(
                onion(config, running.turnstile, Http(session)),
                checks_of(config),
                {host.lower(): headers for host, headers in network.headers.items()},
                excluding(config.records.exclude),
                config.retry.max_wait,
            )
            yield running
    finally:
        await book.close()


def onion(config: Config, turnstile: Turnstile[Target], http: Fetch) -> Fetch:
    """The whole policy of the network, from the outside in."""
    circuits = Circuits(partial(breaker_for, config))
    courtesy = Courtesy(lanes_of(config), config.retry.max_wait, time.time)
    chain = Chain(config.network.max_redirects, excluding(config.records.exclude))
    again = Retry(
        config.retry.attempts,
        config.retry.backoff,
        config.retry.max_wait,
        config.network.total_timeout,
    )
    hop = circuits.breaker(pace(http, turnstile, courtesy))
    if config.network.robots:
        hop = robots(hop, config.network.user_agent)
    return retry(
        head_first(redirects(hop, chain)),
        again,
        turnstile.rest,
        circuits.hopeless,
    )
