"""From the configuration to the parts of a run: rules, paces, checks, and the fetch onion."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from functools import lru_cache, partial
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from typing import Final, TypeAlias

from crawler.checks.amp import AmpCheck
from crawler.checks.base import Check
from crawler.checks.image import ImageCheck
from crawler.checks.page import PageCheck
from crawler.config import Config, HostRules, parse_detour
from crawler.doubt import Doubt, Doubts, Servers
from crawler.errors import ConfigError
from crawler.fetch.base import Fetch
from crawler.fetch.breaker import Breaker, Circuits
from crawler.fetch.budget import RetryBudget
from crawler.fetch.contact import Contact
from crawler.fetch.crowd import Places, crowd
from crawler.fetch.dial import Dialer, Dialling
from crawler.fetch.dns import AddressBook, Resolver, open_resolver
from crawler.fetch.guard import Guard
from crawler.fetch.hand import hand
from crawler.fetch.head_first import head_first
from crawler.fetch.http import Client, Http, open_session
from crawler.fetch.pace import Courtesy, pace
from crawler.fetch.redirects import Chain, redirects
from crawler.fetch.retry import Retry, retry
from crawler.fetch.robots import HOPS, Brief, Manners, robots
from crawler.history import Evidence, Freshness
from crawler.known_hosts import Known, known
from crawler.lanes import Pace, Turnstile
from crawler.outage import Outage
from crawler.plan import excluding
from crawler.run import Observer, Parts, Running, Store
from crawler.second_pass import SecondPass
from crawler.upgrade import Upgrade
from crawler.urls import host_of, lane_key
from crawler.visit import Visitor
from storage.model import Kind, Probe, Target
from storage.records import DEFAULT_RULES, Rules

Layer: TypeAlias = Callable[[Fetch, Callable[[str], str]], Fetch]

# OpenSSL's own choice, as curl has it: Python's leaves out what old servers know and browsers take.
CIPHERS: Final = "DEFAULT:!PSK:!SRP:@SECLEVEL=2"
HEAD_PATIENCE: Final = 1.0  # seconds at least for a HEAD, even beside another


def rules_of(config: Config) -> Rules:
    """The rules for fields: the defaults, with those of the configuration; an empty kind ends one."""
    said = config.records.fields
    ours = {rule: kind for rule, kind in DEFAULT_RULES.items() if rule not in said}
    return {**ours, **{rule: Kind(kind) for rule, kind in said.items() if kind}}


def reading_of(config: Config) -> str:
    """A digest of all that decides which links a file holds and where they lead, but the file."""
    try:
        program = version("linkhealth")
    except PackageNotFoundError:  # run from a source tree that is not installed
        program = ""
    rules = sorted((rule, kind.value) for rule, kind in rules_of(config).items())
    return sha256(repr((program, config.records.base_url, rules)).encode()).hexdigest()


def evidence(config: Config) -> Evidence:
    """The figures of `[state]`."""
    state = config.state
    hard, soft = timedelta(seconds=state.hard_span), timedelta(seconds=state.soft_span)
    flaps = (state.flaps, timedelta(seconds=state.flap_span), state.flap_checks)
    return Evidence(state.hard_failures, hard, state.soft_failures, soft, *flaps)


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
        named = rules_for(config, host).lane
        key = lane_key(host, patterns, config.hosts.join)
        return named or (key if key in patterns or config.hosts.join == "host" else known(host).lane or key)

    return lane_of


def known_for(config: Config, host: str) -> Known:
    """What is known of a host: by the configuration, key by key, else by the data file."""
    own, told = rules_for(config, host), known(host)
    return Known(
        told.head if own.head is None else own.head,
        told.wall if own.wall is None else frozenset(own.wall),
    )


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
        hosts.deadline if own.deadline is None else own.deadline,
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
        context = ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError) as exc:
        raise ConfigError(f"[network] ca_file: {path} cannot be read as certificates") from exc
    context.set_ciphers(CIPHERS)
    context.hostname_checks_common_name = False  # RFC 9525, 2: as browsers, which ended it in 2017
    return context


def dialling(config: Config, detours: Sequence[str]) -> Dialling:
    """How to dial: the operator's detours, the command line's first."""
    texts = (*detours, *config.network.connect_to)
    proxy = config.network.proxy
    return Dialling(
        config.network.connect_timeout,
        config.network.connect_timeout,
        tuple(parse_detour(text) for text in texts),
        frozenset({host_of(proxy)}) if proxy else frozenset(),
    )


def checks_of(config: Config, image: Check | None = None) -> dict[Kind, Check]:
    """The check of each kind; `image` stands in for the one by leading bytes."""
    page = PageCheck(config.network.max_body, lru_cache(4096)(lambda host: known_for(config, host).head))
    image = image or ImageCheck(config.images.max_bytes, config.images.max_pixels)
    if not config.checks.amp:
        return {Kind.WEB: page, Kind.AMP: page, Kind.AMP_CDN: page, Kind.IMAGE: image}
    amp, cached = AmpCheck(), AmpCheck(marked=False)
    return {Kind.WEB: page, Kind.AMP: amp, Kind.AMP_CDN: cached, Kind.IMAGE: image}


def doubt_of(config: Config, fetch: Fetch, wires: Wires) -> Doubt | None:
    """The second look at web pages, unless there is nothing to look for."""
    checks, plan = config.checks, config.schedule
    if not checks.not_found and not checks.parked:
        return None
    doubts = Doubts(checks.not_found, checks.parked, config.network.max_body, plan.probe, plan.splay)
    return Doubt(fetch, doubts, wires.servers_of, wires.probes, now=wires.now)


@asynccontextmanager
async def open_running(
    config: Config,
    detours: Sequence[str],
    ledger: Store,
    observer: Observer,
    resolver: Resolver | None = None,
    *,
    image: Check | None = None,
    layer: Layer | None = None,
    gate: Layer | None = None,
    probes: Sequence[Probe] = (),
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> AsyncIterator[Running]:
    """Everything that one run needs of the network, opened and nested.

    `resolver` stands in for that of this machine, and is closed at the end; `image` for the check
    of images by their leading bytes. `layer` wraps each hop, and is told the lane of a host; `gate`
    is the same, but lies next to the network: who is in it holds a seat.
    `probes` are those of earlier runs that still hold; `now` is UTC.
    """
    running = Running(ledger, observer)
    turnstile = Turnstile(
        config.network.concurrency, partial(pace_for, config), running.work, running.dropped
    )
    book = AddressBook(resolver or open_resolver(), timeout=config.network.connect_timeout)
    guard = Guard(config.network.allow_networks)
    places = Places(config.hosts.per_address)
    dialer = Dialer(book, guard, dialling(config, detours), tls_context(config), places)
    network = config.network
    client = Client(network.user_agent, network.read_timeout, network.proxy or None)
    try:
        async with open_session(dialer, client) as session:
            wires = Wires(Http(session), places, layer, book.name_servers, probes, gate, now)
            running.assemble(parts(config, turnstile, wires, image))
            yield running
    finally:
        await book.close()


@dataclass(frozen=True, slots=True)
class Wires:
    """What lies below the onion: a fetch of one hop, places at addresses, and a layer round each hop.

    `servers_of` tells the name servers of a domain; `probes` are what earlier runs learned of sites; `gate`
    lies next to `http`; `now` is UTC.
    """

    http: Fetch
    places: Places
    layer: Layer | None = None
    servers_of: Servers | None = None
    probes: Sequence[Probe] = ()
    gate: Layer | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def seconds(self) -> float:
        """UTC as seconds."""
        return self.now().timestamp()


def parts(config: Config, turnstile: Turnstile[Target], wires: Wires, image: Check | None = None) -> Parts:
    """What a run is made of, above the network."""
    circuits = Circuits(partial(breaker_for, config), turnstile.return_)
    contact = Contact(lanes_of(config), config.network.canaries)
    wires = replace(wires, http=contact.layer(wires.http))
    fetch = onion(config, turnstile, circuits, wires)
    visitor = Visitor(
        fetch,
        checks_of(config, image),
        {host.lower(): headers for host, headers in config.network.headers.items()},
        excluding(config.records.exclude),
        config.retry.max_wait,
        doubt_of(config, fetch, wires),
        lambda host: known_for(config, host).wall,
        Upgrade(fetch) if config.checks.https else None,
        wires.now,
    )
    outage = Outage(contact, turnstile, config.network.outage_wait)
    return Parts(turnstile, visitor, outage, SecondPass(config.retry.second_pass), circuits.forget)


def onion(config: Config, turnstile: Turnstile[Target], circuits: Circuits, wires: Wires) -> Fetch:
    """The whole policy of the network, from the outside in."""
    courtesy = Courtesy(lanes_of(config), config.retry.max_wait, wires.seconds)
    chain = Chain(config.network.max_redirects, excluding(config.records.exclude))
    again = Retry(
        config.retry.attempts,
        config.retry.backoff,
        config.retry.max_wait,
        config.network.total_timeout,
        wires.seconds,
    )
    hop = hand(wires.http)
    if wires.gate is not None:
        hop = wires.gate(hop, courtesy.lane_of)
    hop = crowd(pace(hop, turnstile, courtesy), wires.places, turnstile, courtesy.lane_of)
    hop = circuits.breaker(hop)
    if wires.layer is not None:
        hop = wires.layer(hop, courtesy.lane_of)
    budget = RetryBudget(lanes_of(config), circuits.hopeless)
    if config.network.robots:
        brief = Brief(budget, config.network.total_timeout)
        read = retry(redirects(hop, Chain(HOPS)), again, turnstile.rest, brief)
        hop = robots(hop, read, Manners(config.network.user_agent, turnstile.return_))
    patience = min(config.network.read_timeout, max(HEAD_PATIENCE, config.network.read_timeout / 4))
    return retry(head_first(redirects(hop, chain), patience), again, turnstile.rest, budget)
