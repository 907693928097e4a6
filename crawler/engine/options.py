"""What a command line adds to the configuration of a run."""

from __future__ import annotations

from typing import Final

from storage.frozen import frozen
from storage.model import Kind

AUDIT: Final = "audit"  # the command that leaves the image cache alone
REFRESH: Final = "refresh"  # the one that asks for images only
RUN: Final = "run"


@frozen
class Options:
    """What a command line adds to the configuration; `max_runtime` is in seconds.

    `only` are the ids of the targets to ask, if not all that are due. `signals`: end at SIGTERM and
    Ctrl-C as a program does. `shared`: workers on other machines help. `refetch`: ask
    for images without conditions, due or not.
    """

    command: str = AUDIT
    paths: tuple[str, ...] = ()
    only_kind: tuple[Kind, ...] = ()
    force: bool = False
    max_runtime: float | None = None
    connect_to: tuple[str, ...] = ()
    workers: int = 1
    only: frozenset[int] = frozenset()
    signals: bool = True
    shared: bool = False
    refetch: bool = False

    @property
    def kinds(self) -> tuple[Kind, ...] | None:
        """The kinds of links that count: none for all, None if none is left."""
        if self.command != REFRESH:
            return self.only_kind
        return (Kind.IMAGE,) if Kind.IMAGE in (self.only_kind or Kind) else None
