"""What a run is given before it opens anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from crawler.checks.base import Check
from crawler.config import Config
from crawler.engine.observer import Observer
from crawler.fetch.base import Middleware
from crawler.fetch.transport.resolver import Resolver
from crawler.lanes import Scheduler
from storage.frozen import frozen
from storage.model import Finding, Probe, Target


class FindingStore(Protocol):
    """Where findings go."""

    async def put(self, finding: Finding) -> None:
        """Keep one finding."""


def utc_now() -> datetime:
    """The time of this machine, in UTC."""
    return datetime.now(UTC)


@frozen
class RunContext:
    """Configuration, store and observer of a run, and what differs between one loop, many and a cluster.

    `connect_to` are the detours of the command line; `probes` those of earlier runs that still hold.
    `image_check` stands in for the check of images by their leading bytes, `resolver` for that of this
    machine (it is closed at the end), `scheduler` for a new one. `remote_lanes` and `lease_gate` are
    layers of the stack that a run in one loop does not have; `now` is UTC.
    """

    config: Config
    store: FindingStore
    observer: Observer
    connect_to: Sequence[str] = ()
    probes: Sequence[Probe] = ()
    image_check: Check | None = None
    resolver: Resolver | None = None
    scheduler: Scheduler[Target] | None = None
    remote_lanes: Middleware | None = None
    lease_gate: Middleware | None = None
    now: Callable[[], datetime] = utc_now

    def seconds(self) -> float:
        """UTC as seconds."""
        return self.now().timestamp()
