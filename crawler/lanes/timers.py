"""Timers of a scheduler."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class WakeTimer:
    """One timer of an event loop that is only ever moved forward in time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
        self._loop = loop
        self._callback = callback
        self._handle: asyncio.TimerHandle | None = None
        self._rings_at = 0.0

    def set(self, at: float | None) -> None:
        """Call back at a loop time, unless that is due sooner anyhow; None sets nothing."""
        if at is None:
            return
        if self._handle is not None:
            if self._rings_at <= at:
                return
            self._handle.cancel()
        # uvloop gives a handle without a time for what is due at once, so the time is kept here.
        self._handle = self._loop.call_at(at, self._ring)
        self._rings_at = at

    def cancel(self) -> None:
        """Call back no more."""
        if self._handle is not None:
            self._handle.cancel()
        self._handle = None

    def _ring(self) -> None:
        self._handle = None
        self._callback()


def cancel_all(timers: list[asyncio.TimerHandle]) -> None:
    """Cancel every timer of a list, and empty it."""
    for timer in timers:
        timer.cancel()
    timers.clear()
