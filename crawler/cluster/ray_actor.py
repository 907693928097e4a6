"""A worker in a process that Ray starts."""

from __future__ import annotations

import logging
import os
import socket
from typing import Final

from crawler.cluster.join import StopHandle, join
from crawler.config import Config
from crawler.engine.observer import NullObserver
from crawler.errors import ConfigError
from storage.errors import StorageError
from storage.model import RunEnd

log: Final = logging.getLogger(__name__)


class RayWorkerError(Exception):
    """A worker cannot work, and another start would not change that; the text says why."""


class RayActor:
    """One worker, in a process of Ray's."""

    def __init__(self, config: Config, name: str) -> None:
        self._config = config
        self._name = f"{name} on {socket.gethostname()}:{os.getpid()}"
        self._stop_handle = StopHandle()

    async def work(self) -> RunEnd:
        """Work in the run that is open, and in the next, until told to end.

        Raises:
            RayWorkerError: this machine's program or database cannot be used.
        """
        try:
            return await join(
                self._config, _DatabaseObserver(), self._stop_handle, name=self._name, wait=True
            )
        except (ConfigError, StorageError) as exc:
            raise RayWorkerError(f"{self._name}: {exc}") from None

    async def stop(self) -> None:
        """Give the shards back once what is under way has ended."""
        self._stop_handle.stop(RunEnd.TERMINATED, "the run is over")


class _DatabaseObserver(NullObserver):
    """The observer of a worker on a cluster: the database shows what it does, and the log what it says."""

    def said(self, text: str) -> None:
        """Ray keeps what its processes write to standard error."""
        log.warning("%s", text)
