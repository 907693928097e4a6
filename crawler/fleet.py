"""Workers on the nodes of a Ray cluster. Ray places them, starts them, and starts them again.

Ray knows nothing of what they do: the database has all truth, and each worker is the same as
`linkhealth worker`. So a cluster that dies costs a run its helpers, and no finding.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, redirect_stdout, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import msgspec

from crawler.config import Config
from crawler.errors import ConfigError
from crawler.run import Observer
from crawler.sharing import Post, join
from storage.errors import StorageError
from storage.model import Finding

log = logging.getLogger(__name__)
LOCAL: Final = "local"
PAUSE: Final = 2.0  # seconds until a worker that died is told to work again; Ray has to start it first
LONGEST: Final = 30.0  # seconds of that pause, at most: a node may be gone for good
KNOCK: Final = 5.0  # seconds that a cluster has to take a connection
LOOK: Final = 3.0  # seconds between two looks at the size of a cluster
GRACE: Final = 10.0  # seconds that workers have to give their shards back


class Refused(Exception):
    """A worker cannot work, and another start would not change that; the text says why."""


class Hand:
    """One worker, in a process of Ray's."""

    def __init__(self, config: Config, name: str) -> None:
        self._config, self._name = config, f"{name} on {socket.gethostname()}:{os.getpid()}"
        self._post = Post()
        self._said: list[str] = []

    async def work(self) -> str:
        """Work in the run that is open, and in the next, until told to end.

        Raises:
            Refused: this machine's program or database cannot be used.
        """
        try:
            return await join(self._config, _Told(), self._post, name=self._name, wait=True)
        except (ConfigError, StorageError) as exc:
            raise Refused(f"{self._name}: {exc}") from None

    async def stop(self) -> None:
        """Give the shards back once what is under way has ended."""
        self._post.stop("terminated", "the run is over")


class _Told:
    """An observer of a worker that nobody watches: the database tells of it."""

    def read(self, records: int, links: int) -> None:
        """Nothing is read here."""

    def planned(self, total: int, lanes: int) -> None:
        """Nobody watches."""

    def found(self, finding: Finding) -> None:
        """Nobody watches."""

    def left(self, targets: int, workers: int) -> None:
        """Nobody watches."""

    def judging(self) -> None:
        """Nothing is judged here."""

    def said(self, text: str) -> None:
        """Ray keeps what its processes write to standard error."""
        log.warning("%s", text)


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
async def _working(ray: Any, config: Config, count: int, observer: Observer) -> AsyncIterator[None]:
    """Workers on a cluster that is connected; it is left at the end."""
    try:
        fleet = _Fleet(ray, config, observer.said)
        fleet.grow(count or _processors(ray))
        growing = asyncio.create_task(fleet.follow()) if not count else None
        try:
            yield
        finally:
            if growing is not None:
                growing.cancel()
            await _dismiss(ray, fleet.hands, fleet.keeping)
    finally:
        await asyncio.to_thread(ray.shutdown)


class _Fleet:
    """The workers of one run on a cluster."""

    def __init__(self, ray: Any, config: Config, said: Callable[[str], None]) -> None:
        self._ray, self._config, self._said = ray, config, said
        self.hands: list[Any] = []
        self.keeping: list[asyncio.Task[None]] = []

    def grow(self, count: int) -> None:
        """Have so many workers, if there are fewer."""
        more = range(len(self.hands), count)
        if more:
            self._said(f"Ray starts {len(more)} workers on {_nodes(self._ray)} nodes")
        for number in more:
            hand = _hand(self._ray, self._config, f"ray {number + 1}")
            self.hands.append(hand)
            self.keeping.append(asyncio.create_task(_keep(self._ray, hand, self._said)))

    async def follow(self) -> None:
        """Have a worker more for each processor that joins."""
        while True:
            await asyncio.sleep(LOOK)
            with suppress(self._ray.exceptions.RayError, OSError):
                self.grow(await asyncio.to_thread(_processors, self._ray))


def _processors(ray: Any) -> int:
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def _nodes(ray: Any) -> int:
    return sum(node["Alive"] for node in ray.nodes())


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_DEDUP_LOGS", "0")
    try:
        return import_module("ray")
    except ImportError:
        raise ConfigError("--ray needs Ray: pip install 'linkhealth[ray]', here and on every node") from None


def _connect(ray: Any, address: str) -> None:
    said: dict[str, Any] = {"log_to_driver": False, "logging_level": "error", "include_dashboard": False}
    if address == LOCAL:
        # Ray takes the address of a network card otherwise, and opens its ports to it.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        said |= {"address": LOCAL, "_node_ip_address": "127.0.0.1"}
    else:
        del said["include_dashboard"]
        said["address"] = address
    try:
        _knock(address)
        ray.init(**said)
    except (ConnectionError, RuntimeError, ValueError, OSError) as exc:
        raise ConfigError(f"--ray {address}: {str(exc).strip().splitlines()[0]}") from exc


def _knock(address: str) -> None:
    """See that somebody listens: Ray itself tries for more than a minute, and then ends the process."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), KNOCK).close()


def _hand(ray: Any, config: Config, name: str) -> Any:
    """An actor that Ray starts wherever there is room, again and again if it dies.

    It takes no processors of Ray's count: it waits for the network most of the time, and one that
    cannot be placed would never work.
    """
    options = {"max_restarts": -1, "max_task_retries": 0, "num_cpus": 0, "max_concurrency": 8}
    return ray.remote(Hand).options(scheduling_strategy="SPREAD", **options).remote(config, name)


async def _keep(ray: Any, hand: Any, said: Callable[[str], None]) -> None:
    """Have a worker work, and again whenever its process or its node has died; say so once a death."""
    pause, died = PAUSE, False
    while True:
        began = asyncio.get_running_loop().time()
        try:
            return await _worked(ray, hand, said)
        except ray.exceptions.RayError as exc:
            worked = asyncio.get_running_loop().time() - began > LONGEST
            if worked or not died:
                said(f"a worker died, and Ray starts it again ({type(exc).__name__})")
            # One that is unavailable is being started, or its node has fallen silent: that takes no load.
            waits = isinstance(exc, ray.exceptions.ActorUnavailableError)
            pause, died = PAUSE if worked or waits else min(2 * pause, LONGEST), True
        await asyncio.sleep(pause)


async def _worked(ray: Any, hand: Any, said: Callable[[str], None]) -> None:
    try:
        await hand.work.remote()
    except ray.exceptions.RayTaskError as exc:
        said(f"a worker cannot help: {_reason(exc)}")


def _reason(exc: Any) -> str:
    """What a worker said at its end, in one line."""
    return str(exc.cause if isinstance(exc.cause, Refused) else exc).strip().splitlines()[-1]


async def _dismiss(ray: Any, hands: list[Any], keeping: list[asyncio.Task[None]]) -> None:
    """Let the workers give their shards back, and end them."""
    for hand in hands:
        with suppress(ray.exceptions.RayError):
            hand.stop.remote()
    await asyncio.wait(keeping, timeout=GRACE)
    for task in keeping:
        task.cancel()
    await asyncio.gather(*keeping, return_exceptions=True)
    for hand in hands:
        with suppress(ray.exceptions.RayError):
            ray.kill(hand)
