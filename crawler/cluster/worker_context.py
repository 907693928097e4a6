"""What the sessions of a worker have in common."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from crawler.checks.base import Check
from crawler.cluster.agreement import SharedRunSpec
from crawler.cluster.database_retry import DatabaseRetry
from crawler.cluster.held_leases import HeldLeases
from crawler.cluster.rebalance import pause
from crawler.engine.observer import Observer
from storage.model import Run
from storage.shards import LaneTurns, Leases, SharedRunPlan


@dataclass(slots=True)
class WorkerContext:
    """What the sessions of a worker have in common.

    `finding_count` counts the findings of this worker, `workers` all workers of the run; `idle` is
    whether this one has nothing to ask.
    """

    spec: SharedRunSpec
    run: Run
    plan: SharedRunPlan
    observer: Observer
    engine: sa.Engine
    leases: Leases
    turns: LaneTurns
    held_leases: HeldLeases
    retry: DatabaseRetry
    finding_count: int = 0
    idle: bool = True
    workers: int = 1

    @property
    def look_interval(self) -> float:
        """Seconds between two looks at the run."""
        return pause(self.spec.config.sharing.renew, self.workers, idle=self.idle)


@asynccontextmanager
async def picture_check_of(context: WorkerContext) -> AsyncIterator[Check | None]:
    """The check that keeps images, if they are to be kept."""
    if not context.spec.cache:
        yield None
        return
    from crawler.engine.image_cache_opening import (  # noqa: PLC0415 - Pillow and more, to keep images only
        open_image_cache,
        whole_image_check,
    )

    config = context.spec.config
    async with open_image_cache(config, context.engine) as writer:
        yield whole_image_check(config, writer, context.held_leases.clock)
