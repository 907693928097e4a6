"""Workers on the nodes of a Ray cluster. Ray places them, starts them, and starts them again.

Ray knows nothing of what they do: the database has all truth, and each worker is the same as
`linkhealth worker`. So a cluster that dies costs a run its helpers, and no finding.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, redirect_stdout, suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Final, Protocol, cast

import msgspec

from crawler.cluster.ray_actor import RayActor, RayWorkerError
from crawler.config import Config
from crawler.engine.observer import Observer
from crawler.errors import ConfigError
from storage.errors import original

LOCAL_CLUSTER: Final = "local"
RESTART_PAUSE: Final = (
    2.0  # seconds until a worker that died is told to work again; Ray has to start it first
)
MAX_RESTART_PAUSE: Final = 30.0  # seconds of that pause, at most: a node may be gone for good
CONNECT_TIMEOUT: Final = 5.0  # seconds that a cluster has to take a connection
RESIZE_INTERVAL: Final = 3.0  # seconds between two looks at the size of a cluster
RELEASE_TIMEOUT: Final = 10.0  # seconds that workers have to give their shards back


class RemoteMethod(Protocol):
    """A method that runs where its actor is."""

    def remote(self) -> Awaitable[None]:
        """Call it there."""


class RayHandle(Protocol):
    """What Ray gives of a `RayActor` that it has placed."""

    work: RemoteMethod
    stop: RemoteMethod


def rooted(config: Config) -> Config:
    """The configuration with whole paths: a process of Ray's has another working directory."""
    images, network = config.images, config.network
    if "://" not in images.cache:
        images = msgspec.structs.replace(images, cache=str(Path(images.cache).absolute()))
    if network.ca_file:
        network = msgspec.structs.replace(network, ca_file=str(Path(network.ca_file).absolute()))
    return msgspec.structs.replace(config, images=images, network=network)


@asynccontextmanager
async def open_fleet(address: str, config: Config, count: int, observer: Observer) -> AsyncIterator[None]:
    """Keep `count` workers on a cluster for as long as this is open; 0: one for each of its processors, those
    of nodes that join late too.

    Raises:
        ConfigError: Ray is not installed, there is no such cluster, or the database is one of a machine.
    """
    if config.database.url.startswith("sqlite"):
        raise ConfigError(
            "--ray shares a run through the database, and SQLite is a file of one machine: "
            'set [database] url = "postgresql://..."'
        )
    ray = _ray()
    await asyncio.to_thread(_connect, ray, address)
    with _hushed():
        async with _working(ray, config, count, observer):
            yield


@contextmanager
def _hushed() -> Iterator[None]:
    """Ray tells of each death on standard output, whatever its options: there only data belongs."""
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        yield


@asynccontextmanager
async def _working(ray: ModuleType, config: Config, count: int, observer: Observer) -> AsyncIterator[None]:
    """Workers on a cluster that is connected; it is left at the end."""
    try:
        fleet = _RayCluster(ray, config, observer.said)
        fleet.grow(count or _processors(ray))
        growing = asyncio.create_task(fleet.follow()) if not count else None
        try:
            yield
        finally:
            if growing is not None:
                growing.cancel()
            await _dismiss(ray, fleet.actors, fleet.keeping)
    finally:
        await asyncio.to_thread(ray.shutdown)


class _RayCluster:
    """The workers of one run on a cluster."""

    def __init__(self, ray: ModuleType, config: Config, report: Callable[[str], None]) -> None:
        self._ray = ray
        self._config = config
        self._report = report
        self.actors: list[RayHandle] = []
        self.keeping: list[asyncio.Task[None]] = []

    def grow(self, count: int) -> None:
        """Start workers until there are `count`."""
        numbers = range(len(self.actors), count)
        if numbers:
            self._report(f"Ray starts {len(numbers)} workers on {_nodes(self._ray)} nodes")
        for number in numbers:
            actor = _actor(self._ray, self._config, f"ray {number + 1}")
            self.actors.append(actor)
            self.keeping.append(asyncio.create_task(_keep(self._ray, actor, self._report)))

    async def follow(self) -> None:
        """Start a worker for each processor that joins."""
        while True:
            await asyncio.sleep(RESIZE_INTERVAL)
            with suppress(self._ray.exceptions.RayError, OSError):
                self.grow(await asyncio.to_thread(_processors, self._ray))


def _processors(ray: ModuleType) -> int:
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def _nodes(ray: ModuleType) -> int:
    return sum(node["Alive"] for node in ray.nodes())


def _ray() -> ModuleType:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_DEDUP_LOGS", "0")
    try:
        return import_module("ray")
    except ImportError:
        raise ConfigError("--ray needs Ray: pip install 'linkhealth[ray]', here and on every node") from None


def _connect(ray: ModuleType, address: str) -> None:
    options: dict[str, object] = {
        "log_to_driver": False,
        "logging_level": "error",
        "include_dashboard": False,
    }
    if address == LOCAL_CLUSTER:
        # Ray takes the address of a network card otherwise, and opens its ports to it.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        options |= {"address": LOCAL_CLUSTER, "_node_ip_address": "127.0.0.1"}
    else:
        del options["include_dashboard"]
        options["address"] = address
    try:
        _knock(address)
        ray.init(**options)
    except (ConnectionError, RuntimeError, ValueError, OSError) as exc:
        raise ConfigError(f"--ray {address}: it cannot be reached{original(exc)}") from exc


def _knock(address: str) -> None:
    """Check that a server listens: Ray itself tries for more than a minute, and then ends the process."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_TIMEOUT).close()


def _actor(ray: ModuleType, config: Config, name: str) -> RayHandle:
    """An actor that Ray starts wherever there is room, again and again if it dies.

    It takes no processors of Ray's count: it waits for the network most of the time, and one that
    cannot be placed would never work.
    """
    options = {"max_restarts": -1, "max_task_retries": 0, "num_cpus": 0, "max_concurrency": 8}
    actor = ray.remote(RayActor).options(scheduling_strategy="SPREAD", **options)
    return cast("RayHandle", actor.remote(config, name))


async def _keep(ray: ModuleType, actor: RayHandle, report: Callable[[str], None]) -> None:
    """Have a worker work, and again whenever its process or its node has died; say so once a death."""
    pause, died_before = RESTART_PAUSE, False
    while True:
        began = asyncio.get_running_loop().time()
        try:
            return await _worked(ray, actor, report)
        except ray.exceptions.RayError as exc:
            ran_long = asyncio.get_running_loop().time() - began > MAX_RESTART_PAUSE
            if ran_long or not died_before:
                report(f"a worker died, and Ray starts it again ({type(exc).__name__})")
            # One that is unavailable is being started, or its node has fallen silent: that takes no load.
            waits = isinstance(exc, ray.exceptions.ActorUnavailableError)
            pause, died_before = (
                RESTART_PAUSE if ran_long or waits else min(2 * pause, MAX_RESTART_PAUSE),
                True,
            )
        await asyncio.sleep(pause)


async def _worked(ray: ModuleType, actor: RayHandle, report: Callable[[str], None]) -> None:
    try:
        await actor.work.remote()
    except ray.exceptions.RayTaskError as exc:
        report(f"a worker cannot help: {_reason(exc)}")


def _reason(exc: Exception) -> str:
    """What a worker said at its end, in one line."""
    cause = getattr(exc, "cause", None)
    if isinstance(cause, RayWorkerError):
        return str(cause)
    return f"its process broke{original(str(exc).strip().splitlines()[-1])}"


async def _dismiss(ray: ModuleType, actors: list[RayHandle], keeping: list[asyncio.Task[None]]) -> None:
    """Let the workers give their shards back, and end them."""
    for actor in actors:
        with suppress(ray.exceptions.RayError):
            actor.stop.remote()
    await asyncio.wait(keeping, timeout=RELEASE_TIMEOUT)
    for task in keeping:
        task.cancel()
    await asyncio.gather(*keeping, return_exceptions=True)
    for actor in actors:
        with suppress(ray.exceptions.RayError):
            ray.kill(actor)
