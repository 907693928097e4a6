"""Whom other tools call dead on the labelled web, next to us and to a check of the status alone.

Run from the checkout: `python -m benchmarks.labelled_peers [--sites 300] [--peers lychee,linkinator]`. The
unseen half is served on loopback addresses, one a host, so that every tool can ask it as it is; names in
pages and redirects are written as these addresses. Our own column is that of `benchmarks.labelled_web`.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import socket
import sys
import tempfile
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks import peers
from benchmarks.labelled_pages import Fallback, Reply, Web, not_there
from benchmarks.labelled_web import GONE, LABELS, check, step_of, webs
from benchmarks.misbehaving import RIGHT
from tests.site import MOST, Site, Wire

BATCH = 300  # sites served at once: each host listens at an address of its own
SETTINGS = peers.Settings(timeout=10)
Tool = Callable[[Iterable[str], Path, peers.Settings], peers.Ended]
Said = dict[str, Counter[str]]  # label -> alive, dead, unsure or none -> sites


def status_alone(urls: Iterable[str], _: Path, settings: peers.Settings) -> peers.Ended:
    """GET, redirects followed, and alive if the last status is 200-299."""

    def ask(url: str) -> tuple[str, str]:
        try:
            with urllib.request.urlopen(url, timeout=settings.timeout):
                return url, "alive"
        except (urllib.error.URLError, OSError):
            return url, "dead"

    with ThreadPoolExecutor(32) as pool:
        return peers.Ended(0.0, dict(pool.map(ask, urls)))


def hosts_of(some: Sequence[Web]) -> list[str]:
    """All hosts of some webs, the longest first, since one may end with another."""
    hosts = {url.split("/", 3)[2] for web in some for url in web.pages} | {
        h for w in some for h in w.fallback
    }
    return sorted(hosts, key=lambda host: (-len(host), host))


class Addressed:
    """Writes addresses for the names of a batch."""

    def __init__(self, some: Sequence[Web], port: int) -> None:
        numbers = itertools.count(1)
        places = (f"127.90.{n // 250}.{n % 250 + 1}" for n in numbers)
        self.addresses = dict(zip(hosts_of(some), places, strict=False))
        self._names = {host: f"{address}:{port}" for host, address in self.addresses.items()}

    def text(self, text: str, web: Web) -> str:
        """A text of a web with its own names replaced."""
        for host in hosts_of([web]):
            text = text.replace(host, self._names[host])
        return text

    def reply(self, reply: Reply, web: Web) -> Reply:
        """An answer of a web with its own names replaced."""
        return replace(reply, body=self.text(reply.body, web), to=self.text(reply.to, web))

    def place(self, host: str) -> str:
        """Address and port of a host."""
        return self._names[host]


@asynccontextmanager
async def served(some: Sequence[Web]) -> AsyncIterator[list[str]]:
    """Serve a batch of webs; the URLs to check, in their order."""
    site = Site()
    with socket.create_server(("127.90.0.2", 0)) as probe:
        site.port = probe.getsockname()[1]
    names = Addressed(some, site.port)
    fallbacks: dict[str, tuple[Fallback, Web]] = {}
    for web in some:
        fallbacks |= {names.place(host): (said, web) for host, said in web.fallback.items()}
        for url, reply in web.pages.items():
            site.add(names.text(url, web), step_of(names.reply(reply, web)))

    async def other(wire: Wire) -> None:
        place, _, path = wire.asked.url.removeprefix("http://").partition("/")
        said, web = fallbacks.get(place, (not_there, some[0]))
        await step_of(names.reply(said(f"/{path}"), web))(wire)

    site.fallback = other
    server = await asyncio.start_server(site.handle, [*names.addresses.values()], site.port, limit=MOST)
    try:
        yield [names.text(web.url, web) for web in some]
    finally:
        server.close()
        await site.close()


async def ask(tool: Tool, sites: int) -> Said:
    """What a tool says of each site of the unseen half."""
    made = list(webs("unseen", sites))
    said: Said = {label: Counter() for label in LABELS}
    for batch in (made[n : n + BATCH] for n in range(0, len(made), BATCH)):
        async with served([web for _, _, web in batch]) as urls:
            with tempfile.TemporaryDirectory() as name:
                ended = await asyncio.to_thread(tool, urls, Path(name), SETTINGS)
            for (label, _, _), url in zip(batch, urls, strict=True):
                said[label][ended.answers.get(url, "none")] += 1
    return said


async def ours(sites: int) -> Said:
    """What we say of each site of the unseen half."""
    said: Said = {label: Counter() for label in LABELS}
    for label, _, finding in await check("unseen", sites):
        said[label][RIGHT.get(finding.verdict.cls, "none")] += 1
    return said


def table(columns: dict[str, Said]) -> Iterable[str]:
    """The table for docs/verdicts.md: of each class, how many each tool calls dead."""
    yield "| called dead of | " + " | ".join(columns) + " |"
    yield "|---" * (len(columns) + 1) + "|"
    for label in LABELS:
        if label == "withdrawn":
            continue
        cells = [f"{said[label]['dead']} of {said[label].total()}" for said in columns.values()]
        yield f"| {label} | " + " | ".join(cells) + " |"
    yield "| **precision / recall** | " + " | ".join(_score(said) for said in columns.values()) + " |"


def _score(said: Said) -> str:
    right = sum(said[label]["dead"] for label in GONE)
    called = sum(said[label]["dead"] for label in LABELS if label != "withdrawn")
    owed = sum(said[label].total() for label in GONE)
    return f"{f'{right / called:.2f}' if called else 'none'} / {right / owed:.3f}"


async def main_(sites: int, names: Sequence[str]) -> None:
    """Ask all tools, one after the other, and print the table."""
    columns = {"linkhealth": await ours(sites), "status alone": await ask(status_alone, sites)}
    for peer in peers.installed(names):
        columns[peer.label] = await ask(peer.run, sites)
        silent = sum(count["none"] for count in columns[peer.label].values())
        print(f"{peer.label}: {silent} URLs without an answer", file=sys.stderr)
    print("\n".join(table(columns)))


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, default=300)
    parser.add_argument("--peers", default="lychee,linkinator", help="names; empty: none")
    asked = parser.parse_args()
    asyncio.run(main_(asked.sites, [name for name in asked.peers.split(",") if name]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
