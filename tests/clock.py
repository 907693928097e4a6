"""Virtual time: an event loop whose clock jumps to the next timer instead of waiting for it."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")
MOMENT: Final = 0.005  # seconds of real time for a socket
AT_LAST: Final = 5.0  # seconds of real time when there is no timer that the clock could jump to


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


class _Listen(_Jump):
    """A selector that gives sockets a moment before it moves the clock.

    Bytes between two sockets of one process are there as soon as they are sent, but for what the
    kernel puts off.
    """

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready, now or in a moment; move the clock when nothing is."""
        patience = AT_LAST if timeout is None else min(timeout, MOMENT)
        return selectors.SelectSelector.select(self, patience) or super().select(timeout)


class JumpLoop(asyncio.SelectorEventLoop):
    """A loop on virtual time; no sockets and no threads on it, since the clock jumps over them."""

    def __init__(self, jump: _Jump | None = None) -> None:
        self._jump = jump or _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        """Seconds of virtual time since the loop was made."""
        return self._jump.now


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on virtual time."""
    with asyncio.Runner(loop_factory=JumpLoop) as runner:
        return runner.run(main)


def run_on_sockets(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on virtual time, with sockets whose both ends are its own."""
    with asyncio.Runner(loop_factory=lambda: JumpLoop(_Listen())) as runner:
        return runner.run(main)
