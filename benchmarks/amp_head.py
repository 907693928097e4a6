"""Bytes that come of an AMP page until it has told what it has to, next to those of the whole page.

Run from the checkout: `python -m benchmarks.amp_head [--pages 200]`. Pages are generated with a fixed
seed, in the sizes that AMP allows: 5 to 75 KB of styles in the head, 30 to 300 KB behind it. Half of them
name their canonical link before the styles, as the example of amp.dev does, half after them. A socket on
this machine sends them as a network does: in windows that double from 10 packets on (RFC 6928).
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import random
import statistics
import sys

from storage.model import Kind
from tests.check import PATIENT, check_all
from tests.site import Step, Wire, serve

PACKET, FIRST = 1460, 10  # bytes of a packet, packets of the first window
TRIP = 0.004  # seconds between two windows; long enough for each to be read on its own
WORDS = ("bridge", "council", "river", "vote", "mayor", "street", "harbour", "winter", "market", "school")


def made(rng: random.Random) -> bytes:
    """An AMP page."""
    rules = (f".{rng.choice(WORDS)}-{n}{{color:#{rng.randrange(1 << 24):06x}}}" for n in range(3000))
    styles = "".join(rules)[: rng.randint(5_000, 75_000)]
    text = " ".join(rng.choice(WORDS) for _ in range(50_000))[: rng.randint(30_000, 300_000)]
    scripts = "".join(f'<script async custom-element="amp-{word}"></script>' for word in WORDS)
    parts = ['<link rel=canonical href="/story">', f"{scripts}<style amp-custom>{styles}</style>"]
    head = "".join(parts if rng.random() < 0.5 else reversed(parts))
    return f"<!doctype html><html amp><head>{head}</head><body>{text}</body></html>".encode()


def in_windows(body: bytes, coding: str) -> Step:
    """An answer that comes as a network brings it."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n"
    data = f"{head}{coding and f'Content-Encoding: {coding}' + chr(13) + chr(10)}\r\n".encode() + body

    async def step(wire: Wire) -> None:
        at, window = 0, PACKET * FIRST
        while at < len(data):
            await wire.send(data[at : at + window])
            at, window = at + window, window * 2
            await asyncio.sleep(TRIP)

    return step


async def measure(pages: int, coding: str) -> None:
    """Check so many pages, and print what came of each."""
    rng = random.Random(20_261_123)
    whole = {f"http://h{n}.example/amp/story": made(rng) for n in range(pages)}
    sent = {url: gzip.compress(body) if coding else body for url, body in whole.items()}
    async with serve() as site:
        for url, body in sent.items():
            site.add(url, in_windows(body, coding))
        found = await check_all(site, dict.fromkeys(whole, Kind.AMP), PATIENT)
    came = sorted(finding.bytes for finding in found.values())
    told = sum(bool(finding.evidence.get("amp")) for finding in found.values())
    mean, size = statistics.mean(came) / 1000, statistics.mean(map(len, sent.values())) / 1000
    middle, most = came[len(came) // 2] / 1000, came[-1] / 1000
    print(f"{coding or 'plain'}: {len(came)} pages of {size:.0f} KB, the canonical link seen on {told}")
    print(f"  {mean:.1f} KB came on average, {middle:.1f} in the middle, {most:.1f} at most")


def main() -> int:
    """Measure plain and gzipped pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=200)
    asked = parser.parse_args()
    for coding in ("", "gzip"):
        asyncio.run(measure(asked.pages, coding))
    return 0


if __name__ == "__main__":
    sys.exit(main())
