"""What every form of a run has in common: in one loop, in many processes, on many machines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from storage.model import RunEnd, Target


class Runner(Protocol):
    """A run under way; `ended` is a good end until another is known."""

    @property
    def ended(self) -> RunEnd:
        """How the run ended."""

    @property
    def dropped_count(self) -> int:
        """How many targets have no finding since their lane had no time left for them."""

    async def check(self, targets: Iterable[tuple[str, Target]]) -> None:
        """Check each target in the lane of its key.

        Raises:
            StorageError: findings or images cannot be kept; those before are.
        """

    def stop(self, run_end: RunEnd, why: str) -> None:
        """Start nothing more; give what is under way a moment to end."""

    def abort(self, run_end: RunEnd, why: str) -> None:
        """End at once."""
