"""The misbehaving web of the tests, on loopback addresses that every tool can ask as they are.

Each case of tests/behaviours/table.py gets addresses of its own, so that no tool confuses the
manners of two cases; the names in its redirects are rewritten on their way out. Faults of
certificates are served at `localhost`, a port each. Cases that need a configuration of ours, or a URL
that is none, are left out: they have no meaning for other tools.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from storage.model import Class, Kind, Verdict
from tests import certs
from tests.behaviours.table import CASES, Case, H
from tests.site import MOST, Site, Step, Wire, page, serve

FAMILIES: Final = (
    "alive",
    "redirects",
    "dead",
    "transient, then well",
    "walls",
    "TLS",
    "broken HTTP",
    "images",
)
RIGHT: Final = {
    Class.ALIVE: "alive",
    Class.HARD: "dead",
    Class.SOFT: "dead",
    Class.TRANSIENT: "dead",
    Class.CONTENT: "dead",
    Class.UNKNOWN: "unsure",
}
FAULTS: Final = {
    "good": Verdict.OK,
    "expired": Verdict.TLS_EXPIRED,
    "not yet valid": Verdict.TLS_EXPIRED,
    "other name": Verdict.TLS_HOSTNAME,
    "self-signed": Verdict.TLS_UNTRUSTED,
    "unknown root": Verdict.TLS_UNTRUSTED,
    "missing intermediate": Verdict.TLS_UNTRUSTED,
}
LEADING: Final = (Verdict.MOVED, Verdict.REDIRECTED)
ASTRAY: Final = (Verdict.REDIRECT_LOOP, Verdict.TOO_MANY_REDIRECTS, Verdict.BAD_REDIRECT)
BROKEN: Final = (Verdict.BAD_RESPONSE, Verdict.TIMEOUT, Verdict.RESET)


@dataclass(frozen=True, slots=True)
class Asked:
    """One URL of the scoreboard, where its hops lead, and the verdict that docs/verdicts.md gives it."""

    url: str
    verdict: Verdict
    kind: Kind
    places: frozenset[str]

    @property
    def right(self) -> str:
        """The answer that counts as right: alive, dead or unsure."""
        return RIGHT[self.verdict.cls]


@dataclass(slots=True)
class Web:
    """What is served for one family: its URLs, the roots to trust, and all that has a script."""

    asked: list[Asked]
    sites: list[Site]
    roots: Path
    named: set[str]

    def requests(self, asked: Asked) -> int:
        """Requests that one URL and its hops have cost so far."""
        return sum(place_of(url) in asked.places for url in self._came() if url in self.named)

    @property
    def besides(self) -> int:
        """Requests so far for what neither the list nor a redirect names: probes, robots.txt."""
        return sum(url not in self.named for url in self._came())

    def _came(self) -> Iterator[str]:
        return (one.url for site in self.sites for one in site.log)


class Renaming(Wire):
    """A wire that writes addresses where the script says names."""

    names: Mapping[bytes, bytes]

    async def send(self, data: bytes) -> None:
        """Write bytes, the names replaced."""
        for name, address in self.names.items():
            data = data.replace(name, address)
        await Wire.send(self, data)


def place_of(url: str) -> str:
    """Host and port, as they stand in a URL."""
    return url.split("/", 3)[2]


def renamed(step: Step, names: Mapping[bytes, bytes]) -> Step:
    """The same step, with addresses for names."""

    async def at_address(wire: Wire) -> None:
        other = Renaming(wire.reader, wire.writer, wire.asked, wire.closing, keep=wire.keep)
        other.names = names
        await step(other)
        wire.keep = other.keep

    return at_address


def family_of(case: Case) -> str:
    """The family of a case."""
    verdict = Verdict(case.verdict)
    scripts = [s for steps in case.pages.values() for s in _by_method(steps).values()]
    if case.kind is Kind.IMAGE:
        return "images"
    if verdict in (*LEADING, *ASTRAY):
        return "redirects"
    if verdict.cls is Class.UNKNOWN:
        return "walls"
    if verdict in BROKEN:
        return "broken HTTP"
    if verdict.cls is not Class.ALIVE:
        return "dead"
    return "transient, then well" if any(len(script) > 1 for script in scripts) else "alive"


def cases_of(family: str) -> list[Case]:
    """The cases of a family that mean something to every tool."""
    return [
        case
        for case in CASES
        if not (case.config or case.url or case.tls)
        and Verdict(case.verdict).cls is not Class.UNCHECKED
        and family_of(case) == family
    ]


def _by_method(steps: tuple[Step, ...] | Mapping[str, tuple[Step, ...]]) -> Mapping[str, tuple[Step, ...]]:
    return steps if isinstance(steps, Mapping) else {"": steps}


@asynccontextmanager
async def open_web(family: str) -> AsyncIterator[Web]:
    """Serve one family, every script at its beginning."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        roots = _readable_roots(folder)
        async with _faults(folder, roots) if family == "TLS" else _cases(cases_of(family), roots) as web:
            yield web


def _readable_roots(folder: Path) -> Path:
    """The roots that tools are to trust, readable by one that gives up its rights, too."""
    folder.chmod(0o755)
    return Path(certs.roots(folder))


@asynccontextmanager
async def _faults(folder: Path, roots: Path) -> AsyncIterator[Web]:
    web = Web([], [], roots, set())
    async with AsyncExitStack() as stack:
        for fault, verdict in FAULTS.items():
            site = await stack.enter_async_context(serve(certs.server(folder, fault, "localhost")))
            url = f"https://localhost:{site.port}/"
            site.add(url, page())
            web.asked.append(Asked(url, verdict, Kind.WEB, frozenset({place_of(url)})))
            web.sites.append(site)
            web.named.add(url)
        yield web


@asynccontextmanager
async def _cases(cases: list[Case], roots: Path) -> AsyncIterator[Web]:
    site = Site()
    hosts = [(f"127.77.0.{n}", f"127.78.0.{n}") for n in range(1, len(cases) + 1)]
    with socket.create_server((hosts[0][0], 0)) as probe:
        site.port = probe.getsockname()[1]
    addresses = list(itertools.chain.from_iterable(hosts))
    server = await asyncio.start_server(site.handle, addresses, site.port, limit=MOST)
    web = Web([], [site], roots, set())
    for case, own in zip(cases, hosts, strict=True):
        web.asked.append(_script(web, case, own))
    try:
        yield web
    finally:
        server.close()
        await site.close()


def _script(web: Web, case: Case, hosts: tuple[str, str]) -> Asked:
    """Script one case at its addresses."""
    site = web.sites[0]
    names = {
        "site.example": f"{hosts[0]}:{site.port}",
        "other.example": f"{hosts[1]}:{site.port}",
        "closed.example": f"{hosts[1]}:1",
        "plain.example": f"{hosts[1]}:{site.port}",
    }
    table = {name.encode(): address.encode() for name, address in names.items()}

    def placed(url: str) -> str:
        for name, address in names.items():
            url = url.replace(name, address)
        return url

    for path, steps in case.pages.items():
        for method, script in _by_method(steps).items():
            url = placed(path if "://" in path else H + path)
            web.named.add(url)
            site.add(url, *(renamed(step, table) for step in script), method=method)
    places = frozenset(f"{host}:{site.port}" for host in hosts)
    return Asked(placed(H + case.path), Verdict(case.verdict), case.kind, places)
