"""The resolver of the operating system, in threads."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from crawler.errors import DnsFailure, FetchError, NoSuchHost
from crawler.fetch.transport.resolver import Addresses
from storage.errors import original, system_reason

LOOKUP_THREADS: Final = 32  # look-ups at once where the system's resolver is used


# Each of these says that the name does not exist, or has no address of any family.
NO_ADDRESS_ERRORS: Final = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})

RESOLVER_REASONS: Final[dict[int, str]] = {
    **dict.fromkeys(NO_ADDRESS_ERRORS, "there is no such name, or it has no address"),
    socket.EAI_AGAIN: "no name server answers",
    socket.EAI_FAIL: "the name server failed",
    socket.EAI_MEMORY: "this machine has no memory left",
}


class SystemResolver:
    """The system's own resolver, in threads of its own: a slow look-up holds up nothing else."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOKUP_THREADS, "dns")

    async def resolve(self, host: str) -> Addresses:
        """Ask getaddrinfo."""
        loop = asyncio.get_running_loop()
        try:
            addresses = await loop.run_in_executor(self._threads, _getaddrinfo, host)
        except socket.gaierror as exc:
            raise _system_lookup_error(host, exc) from exc
        except UnicodeError as exc:
            raise NoSuchHost(f"{host} is no host name") from exc
        return Addresses(addresses)

    async def close(self) -> None:
        """Forget the look-ups that still run."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _getaddrinfo(host: str) -> tuple[str, ...]:
    entries = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in entries))


def _system_lookup_error(host: str, exc: OSError) -> FetchError:
    if exc.errno in NO_ADDRESS_ERRORS:
        return NoSuchHost(f"{host} does not exist or has no address", phase="dns")
    return DnsFailure(f"{host} could not be looked up: {resolver_reason(exc)}", phase="dns")


def resolver_reason(exc: OSError) -> str:
    """Why the system's resolver found nothing, in our words."""
    if not isinstance(exc, socket.gaierror):
        return system_reason(exc)
    meaning = RESOLVER_REASONS.get(exc.errno or 0, "the resolver failed")
    return f"{meaning}{original(exc.strerror)}"
