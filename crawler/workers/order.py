"""What the parent tells a worker once, at the beginning."""

from __future__ import annotations

from dataclasses import dataclass

from crawler.config import Config
from storage.model import Probe, Target


@dataclass(frozen=True, slots=True)
class Order:
    """What all workers of a run have in common; `cache`: they keep images; `probes` still hold."""

    config: Config
    detours: tuple[str, ...]
    cache: bool = False
    probes: tuple[Probe, ...] = ()


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker has to know: its number, how many there are, whose lane is whose, and its work."""

    number: int
    count: int
    order: Order
    owners: dict[str, int]
    targets: list[tuple[str, Target]]
