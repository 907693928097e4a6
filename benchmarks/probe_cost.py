"""Requests a web target, probes included, on the URLs of a folder of records.

Run from the checkout: `python -m benchmarks.probe_cost PATH [--dishonest 0.1]`. Each host of the records is
served by a socket on this machine and answers well at the URLs that the records name; a share of the hosts,
chosen by their names, answers 200 to any other path, the rest says 404.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import zlib
from collections import Counter

from crawler.errors import UrlError
from crawler.urls import host_of, request_url
from storage.model import Kind, Probe
from storage.records import files, read
from tests.check import check_all, config
from tests.site import Wire, answer, page, serve

STORY = " ".join("The council spoke of the bridge for an hour and voted in the end." for _ in range(20))
MISSING = page(f"<title>Page not found</title><h1>Page not found</h1><p>{STORY[:600]}")
LIVE = page(f"<title>A story of its own</title><h1>A story of its own</h1><p>{STORY}")


def urls_of(path: str) -> list[str]:
    """The distinct web URLs of some records, over plain HTTP."""
    found: dict[str, None] = {}
    for file in files((path,), exclude=()):
        for link in (link for record in read(file).records for link in record.links):
            if link.kind is Kind.WEB:
                try:
                    found[request_url(link.text).replace("https://", "http://", 1)] = None
                except UrlError:
                    continue
    return list(found)


async def measure(urls: list[str], dishonest: float) -> None:
    """Check all URLs without probes, and thrice with those of the runs before; print what was asked."""
    known = frozenset(urls)

    async def step(wire: Wire) -> None:
        url = wire.asked.url
        lies = zlib.crc32(host_of(url).encode()) / 2**32 < dishonest
        await (LIVE if url in known else MISSING if lies else answer(404))(wire)

    hosts = len({host_of(url) for url in urls})
    print(f"{len(urls)} web targets on {hosts} hosts, {dishonest:.0%} of which say 200 to anything")
    probes: dict[str, Probe] = {}
    for name in ("no doubts", "first run", "second run", "third run"):
        async with serve() as site:
            site.fallback = step
            doubts = name != "no doubts"
            settings = config(checks={"not_found": doubts, "parked": doubts}, network={"read_timeout": 20})
            targets = dict.fromkeys(urls, Kind.WEB)
            findings = await check_all(site, targets, settings, probes=list(probes.values()))
            asked = Counter("target" if one.url in known else "probe" for one in site.log)
        probes |= {probe.folder: probe for finding in findings.values() for probe in finding.probes}
        verdicts = Counter(finding.verdict.value for finding in findings.values())
        each = asked.total() / len(urls)
        print(f"  {name}: {dict(asked)}, {each:.3f} requests a target, {dict(verdicts)}")


def main() -> int:
    """Measure at the share that was asked for, else at three."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path")
    parser.add_argument("--dishonest", type=float)
    asked = parser.parse_args()
    urls = urls_of(asked.path)
    for share in (0.0, 0.1, 0.3) if asked.dishonest is None else (asked.dishonest,):
        asyncio.run(measure(urls, share))
    return 0


if __name__ == "__main__":
    sys.exit(main())
