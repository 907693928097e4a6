"""What the sessions of a worker have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from crawler.run import Observer
from crawler.sharing.patience import Patience
from crawler.sharing.tenure import Tenure
from crawler.sharing.terms import Joint
from storage.model import Run
from storage.shards import Leases, Plan, Slots

EAGER: Final = 0.2  # of the time between two renewals: how often a worker without work looks for some


@dataclass(slots=True)
class Crew:
    """What the sessions of a worker have in common. `found` counts its findings; `idle`: it has no work."""

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

    @property
    def every(self) -> float:
        """Seconds between two looks at the run."""
        return self.joint.config.sharing.renew * (EAGER if self.idle else 1.0)
