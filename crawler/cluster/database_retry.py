"""Waiting for a database that will come back: pauses that grow, until somebody says that it is enough."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from storage.errors import LedgerError
from storage.shards import is_transient

Outcome = TypeVar("Outcome")
FIRST_PAUSE: Final = 0.1  # seconds before a call is made once more; then twice as long, and so on
MAX_RETRY_PAUSE: Final = 5.0
FAILURES_TO_REPORT: Final = 3  # failures in a row that are worth a sentence


class DatabaseRetry:
    """Calls the database in threads, and again as long as what fails may pass.

    `said` is told when it takes long. After `end`, each call is made once.
    """

    def __init__(self, report: Callable[[str], None]) -> None:
        self._said = report
        self._over = asyncio.Event()

    def end(self) -> None:
        """Wait for nothing any more."""
        self._over.set()

    async def call(self, work: Callable[..., Outcome], *words: object) -> Outcome:
        """What a call returns, once it succeeds.

        Raises:
            LedgerError: it failed, and will not pass, or nobody waits for it any more.
        """
        pause, failures = FIRST_PAUSE, 0
        while True:
            try:
                return await asyncio.to_thread(work, *words)
            except LedgerError as exc:
                if not is_transient(exc) or self._over.is_set():
                    raise
                failures += 1
                if failures == FAILURES_TO_REPORT:
                    self._said(f"{exc}; waiting for it")
            await self._rest(pause)
            pause = min(MAX_RETRY_PAUSE, 2 * pause)

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._over.wait(), seconds)
        except TimeoutError:
            return
