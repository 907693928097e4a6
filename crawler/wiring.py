"""The composition root: from a run's context to its checks, its network, and the stack of middlewares."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import partial
from typing import Final

from crawler.config import Config
from crawler.config.words import EVERY_HOST
from crawler.content.inspector import ContentInspector, InspectorSettings, Servers
from crawler.engine.context import RunContext
from crawler.engine.https_upgrade import HttpsUpgrade
from crawler.engine.outage import Outage
from crawler.engine.parts import checks_of, connector_settings, proxies_of, tls_context
from crawler.engine.plan import excluding
from crawler.engine.run import CheckRun, RunParts
from crawler.engine.second_pass import SecondPass
from crawler.engine.visit import Visitor
from crawler.fetch.base import Fetch, Middleware, wrapped
from crawler.fetch.middleware.address_limit import address_limit
from crawler.fetch.middleware.circuit_breaker import CircuitBreakers, circuit_breaker
from crawler.fetch.middleware.connectivity import Connectivity, OpenCanary, connectivity
from crawler.fetch.middleware.full_request import full_request
from crawler.fetch.middleware.handoff import handoff
from crawler.fetch.middleware.head_first import head_first
from crawler.fetch.middleware.politeness import Politeness, politeness
from crawler.fetch.middleware.redirects import RedirectPolicy, redirects
from crawler.fetch.middleware.retry import RetryPolicy, retry
from crawler.fetch.middleware.retry_budget import RetryBudget
from crawler.fetch.middleware.robots import MAX_ROBOTS_HOPS, RobotsBudget, RobotsSettings, robots
from crawler.fetch.transport.address_guard import AddressGuard
from crawler.fetch.transport.address_slots import AddressSlots
from crawler.fetch.transport.canary import CanaryNetwork, CanarySettings, open_canary_network
from crawler.fetch.transport.client import ClientSettings, HttpClient, open_session
from crawler.fetch.transport.connector import Connector
from crawler.fetch.transport.dns_cache import DnsCache
from crawler.fetch.transport.resolvers import fresh_resolver, open_resolver
from crawler.lanes import Scheduler
from crawler.policies import breaker_for, known_for, lanes_of, pace_for
from storage.frozen import frozen
from storage.model import Target

MIN_HEAD_TIMEOUT: Final = 1.0  # seconds for a HEAD, even beside another


def inspector_of(context: RunContext, network: Network, fetch: Fetch) -> ContentInspector | None:
    """The second look at web pages, unless there is nothing to look for."""
    checks, schedule = context.config.checks, context.config.schedule
    if not checks.not_found and not checks.parked:
        return None
    max_body = context.config.network.max_body
    settings = InspectorSettings(checks.not_found, checks.parked, max_body, schedule.probe, schedule.splay)
    return ContentInspector(fetch, settings, network.servers_of, context.probes, now=context.now)


@frozen
class Network:
    """What lies below the stack: a fetch of one hop, the slots at addresses, the name servers of a domain.

    `open_canary` opens one for control questions; `forget_failures` looks up anew what `recent_names` lack.
    """

    http: Fetch
    slots: AddressSlots
    servers_of: Servers | None = None
    open_canary: OpenCanary | None = None
    recent_names: Callable[[], Sequence[str]] = tuple
    forget_failures: Callable[[], object] = tuple

    def canary(self) -> AbstractAsyncContextManager[CanaryNetwork]:
        """Open the network of a control question."""
        return self.open_canary() if self.open_canary else nullcontext(CanaryNetwork(self.http))


@frozen
class StackState:
    """What the layers of one run's stack share."""

    context: RunContext
    slots: AddressSlots
    scheduler: Scheduler[Target]
    lane_of: Callable[[str], str]
    circuits: CircuitBreakers
    contact: Connectivity

    @property
    def config(self) -> Config:
        """The configuration of the run."""
        return self.context.config

    def budget(self) -> RetryBudget:
        """How many retries each lane has."""
        return RetryBudget(self.lane_of, self.circuits.hopeless)

    def attempts(self) -> RetryPolicy:
        """How often and how long one request is tried."""
        policy, total = self.config.retry, self.config.network.total_timeout
        return RetryPolicy(policy.attempts, policy.backoff, policy.max_wait, total, self.context.seconds)


def _retry(state: StackState) -> Middleware:
    return retry(state.attempts(), state.scheduler.sleep, state.budget())


def _head_first(state: StackState) -> Middleware:
    timeout = state.config.network.read_timeout
    return head_first(min(timeout, max(MIN_HEAD_TIMEOUT, timeout / 4)))


def _full_request(_: StackState) -> Middleware:
    return full_request()


def _redirects(state: StackState) -> Middleware:
    config = state.config
    return redirects(RedirectPolicy(config.network.max_redirects, excluding(config.records.exclude)))


def _robots(state: StackState) -> Middleware | None:
    """What obeys robots.txt, if it is to be obeyed; it is read with attempts and redirects of its own."""
    network = state.config.network
    if not network.robots:
        return None
    half_time = RobotsBudget(state.budget(), network.total_timeout)
    reading = [
        retry(state.attempts(), state.scheduler.sleep, half_time),
        redirects(RedirectPolicy(MAX_ROBOTS_HOPS)),
    ]
    return robots(reading, RobotsSettings(network.user_agent, state.scheduler.release_unused))


def _remote_lanes(state: StackState) -> Middleware | None:
    return state.context.remote_lanes


def _circuit_breaker(state: StackState) -> Middleware:
    return circuit_breaker(state.circuits)


def _address_limit(state: StackState) -> Middleware:
    return address_limit(state.slots, state.scheduler, state.lane_of)


def _politeness(state: StackState) -> Middleware:
    settings = Politeness(state.lane_of, state.config.retry.max_wait, state.context.seconds)
    return politeness(state.scheduler, settings)


def _lease_gate(state: StackState) -> Middleware | None:
    return state.context.lease_gate


def _handoff(_: StackState) -> Middleware:
    return handoff()


def _connectivity(state: StackState) -> Middleware:
    return connectivity(state.contact)


# The whole policy of the network, outermost first; a layer that gives None is left out.
STACK: Final[tuple[Callable[[StackState], Middleware | None], ...]] = (
    _retry,
    _head_first,
    _full_request,
    _redirects,
    _robots,
    _remote_lanes,
    _circuit_breaker,
    _address_limit,
    _politeness,
    _lease_gate,
    _handoff,
    _connectivity,
)
LOCAL: Final = STACK.index(_remote_lanes) + 1  # from here on down a request is in a lane of this process


def _layers(
    state: StackState, layers: Sequence[Callable[[StackState], Middleware | None]]
) -> list[Middleware]:
    return [layer for build in layers if (layer := build(state)) is not None]


def new_scheduler(config: Config) -> Scheduler[Target]:
    """The scheduler of a run: a lane a host, asked as the configuration says."""
    return Scheduler(config.network.concurrency, partial(pace_for, config))


def assemble(context: RunContext, network: Network) -> CheckRun:
    """A run over a network that is open."""
    config = context.config
    scheduler = context.scheduler or new_scheduler(config)
    circuits = CircuitBreakers(partial(breaker_for, config), scheduler.release_unused)
    lane_of = lanes_of(config)
    contact = Connectivity(network.canary, lane_of, config.network.canaries, network.recent_names)
    state = StackState(context, network.slots, scheduler, lane_of, circuits, contact)
    local_fetch = wrapped(network.http, _layers(state, STACK[LOCAL:]))
    fetch = wrapped(local_fetch, _layers(state, STACK[:LOCAL]))
    visitor = _visitor(context, network, fetch)
    outage = partial(Outage, contact, scheduler, config.network.outage_wait)
    second = SecondPass(config.retry.second_pass)
    renewals = (circuits.forget, network.forget_failures)
    parts = RunParts(scheduler, visitor, outage, second, renewals, local_fetch)
    return CheckRun(parts, context.store, context.observer)


def _visitor(context: RunContext, network: Network, fetch: Fetch) -> Visitor:
    config = context.config
    return Visitor(
        fetch,
        checks_of(config, context.image_check),
        {host.lower(): headers for host, headers in config.network.headers.items()},
        excluding(config.records.exclude),
        config.retry.max_wait,
        inspector_of(context, network, fetch),
        lambda host: known_for(config, host).wall,
        HttpsUpgrade(fetch) if config.checks.https else None,
        context.now,
    )


@asynccontextmanager
async def open_run(context: RunContext) -> AsyncIterator[CheckRun]:
    """A run with all that it needs of the network, which is closed at the end.

    Raises:
        ConfigError: the file of roots cannot be read.
    """
    config = context.config
    network = config.network
    dns_cache = DnsCache(context.resolver or open_resolver(), timeout=network.connect_timeout)
    guard = AddressGuard(network.allow_networks)
    slots = AddressSlots(config.hosts.per_address)
    settings = connector_settings(config, context.connect_to)
    tls = tls_context(config)
    connector = Connector(dns_cache, guard, settings, tls, slots)
    proxies = proxies_of(config, context.connect_to)
    everywhere = network.headers.get(EVERY_HOST, {})
    client = ClientSettings(network.user_agent, network.read_timeout, proxies, everywhere)
    canary = CanarySettings(partial(fresh_resolver, context.resolver), guard, settings, tls, client)
    open_canary = partial(open_canary_network, canary, network.connect_timeout)
    try:
        async with open_session(connector, client) as session:
            names = (dns_cache.name_servers, open_canary, dns_cache.recent_names, dns_cache.forget_failures)
            yield assemble(context, Network(HttpClient(session, client), slots, *names))
    finally:
        await dns_cache.close()
