"""What the sessions of a worker have in common."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from crawler.caching import open_keeper, picture_check
from crawler.checks.base import Check
from crawler.run import Observer
from crawler.sharing.patience import Patience
from crawler.sharing.policy import pause
from crawler.sharing.tenure import Tenure
from crawler.sharing.terms import Joint
from storage.model import Run
from storage.shards import Leases, Plan, Slots


@dataclass(slots=True)
class Crew:
    """What the sessions of a worker have in common. `found` counts its findings, `workers` all of the run."""

    joint: Joint
    run: Run
    plan: Plan
    observer: Observer
    engine: sa.Engine
    leases: Leases
    slots: Slots
    tenure: Tenure
    patience: Patience
    found: int = 0
    idle: bool = True
    workers: int = 1

    @property
    def every(self) -> float:
        """Seconds between two looks at the run."""
        return pause(self.joint.config.sharing.renew, self.workers, idle=self.idle)


@asynccontextmanager
async def picture_check_of(crew: Crew) -> AsyncIterator[Check | None]:
    """The check that keeps images, if they are to be kept."""
    if not crew.joint.cache:
        yield None
        return
    async with open_keeper(crew.joint.config, crew.engine) as keeper:
        yield picture_check(crew.joint.config, keeper, crew.tenure.clock)
