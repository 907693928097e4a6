"""File descriptors that are held back from connections, so that what came over them can be kept.

A process at its limit of open files cannot write down the image that a connection just brought, and the
connection is not closed before that is done. So a few descriptors are taken beforehand, and lent.
"""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

LIMIT_SHARE: Final = 8  # at most one of so many descriptors is held back
LOAN_DESCRIPTORS: Final = 8  # that one loan frees: more than any step of the cache opens
NO_DESCRIPTOR: Final = frozenset({errno.EMFILE, errno.ENFILE})


class DescriptorReserve:
    """Descriptors of nothing, closed while others need them."""

    def __init__(self, count: int) -> None:
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._count = min(count, soft // LIMIT_SHARE)
        self._held: list[int] = []
        self._fill()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Free a few descriptors for a while."""
        for _ in range(min(LOAN_DESCRIPTORS, len(self._held))):
            os.close(self._held.pop())
        try:
            yield
        finally:
            self._fill()

    def close(self) -> None:
        """Free all of them."""
        self._count = 0
        while self._held:
            os.close(self._held.pop())

    def _fill(self) -> None:
        with suppress(OSError):  # at the limit: a later loan fills it again
            while len(self._held) < self._count:
                self._held.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))


def lacks_descriptors(error: BaseException | None) -> bool:
    """Whether an error, or what caused it, is that too many files are open."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in NO_DESCRIPTOR:
            return True
        error = error.__cause__
    return False
