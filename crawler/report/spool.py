"""Pieces that are made before what stands above them: in memory, then in a temporary file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from tempfile import SpooledTemporaryFile, gettempdir
from typing import IO, Final

from storage.errors import StorageError, system_reason

MAX_SPOOL_MEMORY: Final = 8 * 1024 * 1024  # bytes that are kept in memory; more go to a file
SPOOL_PIECE_CHARACTERS: Final = 64 * 1024


@contextmanager
def spooled(pieces: Iterable[str], *, memory: int = MAX_SPOOL_MEMORY) -> Iterator[Iterator[str]]:
    """Make all pieces now, and hand them out later: what counts them reads the database once.

    Up to `memory` bytes stay in memory.

    Raises:
        StorageError: there is no room for them.
    """
    # Halves of surrogates, which paths may hold, come out as they went in.
    with SpooledTemporaryFile(memory, "w+", encoding="utf-8", errors="surrogatepass", newline="") as file:
        _fill(file, pieces)
        yield iter(partial(file.read, SPOOL_PIECE_CHARACTERS), "")


def _fill(file: IO[str], pieces: Iterable[str]) -> None:
    for piece in pieces:
        _do(partial(file.write, piece))
    _do(partial(file.seek, 0))  # which writes what is still in memory


def _do(step: Callable[[], int]) -> None:
    """A step of writing; the pieces themselves are made outside of it, and fail with words of their own."""
    try:
        step()
    except OSError as exc:
        reason = system_reason(exc)
        raise StorageError(f"{gettempdir()}, where reports are made, cannot be written: {reason}") from exc
