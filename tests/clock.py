"""Virtual time: an event loop whose clock jumps to the next timer instead of waiting for it."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Jump(selectors.SelectSelector):
    """A selector that never waits: it adds the time-out to the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready at once; move the clock when nothing is."""
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("nothing left to wait for: this would hang for ever")
            self.now += timeout
        return ready


class JumpLoop(asyncio.SelectorEventLoop):
    """A loop on virtual time; no sockets and no threads on it, since the clock jumps over them."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        """Seconds of virtual time since the loop was made."""
        return self._jump.now


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on virtual time."""
    with asyncio.Runner(loop_factory=JumpLoop) as runner:
        return runner.run(main)
