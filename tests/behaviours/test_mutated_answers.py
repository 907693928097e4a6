"""Answers broken at random: each target has its finding, and none of them is a defect of ours."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import re
from collections import Counter
from collections.abc import Callable
from typing import Final

import pytest

from crawler.engine.context import RunContext
from crawler.engine.plan import by_lane
from crawler.policies import lanes_of
from crawler.progress import QuietProgress
from crawler.wiring import open_run
from storage.model import Kind, Target, Verdict
from tests.check import Kept, config
from tests.site import Site, Wire, serve

COUNT: Final = int(os.environ.get("LINKHEALTH_MUTANTS", "2000"))
SEED: Final = int(os.environ.get("LINKHEALTH_MUTANT_SEED", "20261130"))
HOSTS: Final = 400
KINDS: Final = (Kind.WEB, Kind.WEB, Kind.WEB, Kind.AMP, Kind.AMP_CDN, Kind.IMAGE)
PAGE: Final = (
    b'<!doctype html><html amp lang=en><meta charset="utf-8"><title>The bridge</title>'
    b'<link rel=canonical href="http://h1.example/1"><link rel=amphtml href="/amp?a=1">'
    b'<a id=part href="http://h2.example:80/2">A long story of a bridge</a>' + b"<p>Word.</p>" * 40
)
PIXEL: Final = bytes.fromhex("47494638396101000100800000000000ffffff2c00000000010001000002024401003b")


def head(*lines: str) -> bytes:
    """The head of an answer."""
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


HEADS: Final = (
    head(
        "HTTP/1.1 200 OK",
        "Date: Mon, 30 Nov 2026 04:00:00 GMT",
        "Content-Type: text/html; charset=utf-8",
        "Content-Length: %d",
        'ETag: "a1"',
        "Last-Modified: Sun, 29 Nov 2026 04:00:00 GMT",
        "Cache-Control: max-age=600, stale-while-revalidate=30",
        "Age: 12",
    ),
    head(
        "HTTP/1.1 200 OK",
        "Content-Type: image/gif",
        "Content-Length: %d",
        "X-RateLimit-Limit: 60",
        "X-RateLimit-Remaining: 0",
        "X-RateLimit-Reset: 1796011200",
        "Expires: Tue, 01 Dec 2026 04:00:00 GMT",
    ),
    head(
        "HTTP/1.1 429 Too Many Requests",
        "Retry-After: 7200",
        "Content-Length: %d",
        'RateLimit: "default";r=0;t=60',
        'RateLimit-Policy: "default";q=100;w=60',
    ),
    head(
        "HTTP/1.1 503 Service Unavailable",
        "Retry-After: Tue, 01 Dec 2026 04:00:00 GMT",
        "Content-Length: %d",
        "Server: cloudflare",
    ),
    head(
        "HTTP/1.1 301 Moved Permanently",
        "Location: http://h3.example:80/3?x=1#part",
        "Content-Length: %d",
        "Set-Cookie: id=7; Domain=h3.example; Path=/; Expires=Tue, 01 Dec 2026 04:00:00 GMT; Max-Age=60",
    ),
    head(
        "HTTP/1.1 206 Partial Content",
        "Content-Range: bytes 0-99/1234",
        "Content-Length: %d",
        "Content-Type: image/gif",
        "Content-Encoding: identity",
    ),
    head(
        "HTTP/1.1 404 Not Found",
        "Content-Length: %d",
        "Refresh: 5; url=/",
        'Warning: 199 - "x"',
    ),
)
CHUNKED: Final = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/html\r\nTrailer: X-T\r\n\r\n"
)
NUMBERS: Final = (
    b"0",
    b"-1",
    b"1",
    b"00",
    b"007",
    b"+5",
    b"1e9",
    b"0x10",
    b"NaN",
    b"inf",
    b"1.5",
    b" 3 ",
    b"3, 3",
    b"",
    b"2147483648",
    b"4294967296",
    b"9223372036854775808",
    b"999999999999",
    b"1796011200000",
    b"1796011200000000",
    b"9" * 40,
    b"9" * 5000,
    b"1" + b"0" * 400,
    b"\xd9\xa3",
    b"99999999999999.5",
)
DATES: Final = (
    b"Thu, 01 Jan 1970 00:00:00 GMT",
    b"Mon, 01 Jan 0001 00:00:00 GMT",
    b"Fri, 31 Dec 9999 23:59:60 GMT",
    b"Fri, 31 Dec 99999 23:59:59 GMT",
    b"Sun, 30 Feb 2026 25:61:61 GMT",
    b"Tuesday, 01-Dec-70 04:00:00 GMT",
    b"Tue Dec  1 04:00:00 2026",
    b"Tue, 01 Dec 2026 04:00:00 +9999",
    b"Tue, 01 Dec -2026 04:00:00 GMT",
    b"now",
)
LINES: Final = (
    b"Content-Length: 5",
    b"Content-Length : 5",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, x",
    b"Content-Encoding: gzip",
    b"Content-Encoding: br",
    b"Content-Encoding: nope",
    b"Location: http://[",
    b"X",
    b" folded",
    b"Location: //h4.example",
    b"Location: \x00",
    b"Location: http://\xff.example/",
    b"A: " + b"b" * 9000,
    b"Content-Type: text/html; charset=" + b"9" * 5000,
    b"Content-Type: \xff",
    b"Connection: upgrade",
    b": empty",
    b"Set-Cookie: =",
    b"Set-Cookie: a=" + b"b" * 5000,
    b"Content-Range: bytes */x",
    b"HTTP/1.1 100 Continue",
)
DATE: Final = re.compile(rb"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")
Mutation = Callable[[random.Random, bytes], bytes]


def number(dice: random.Random, data: bytes) -> bytes:
    """Another number where one stands."""
    places = [match.span() for match in re.finditer(rb"\d+", data[:2000])]
    if not places:
        return data
    start, end = dice.choice(places)
    return data[:start] + dice.choice(NUMBERS) + data[end:]


def date(dice: random.Random, data: bytes) -> bytes:
    """Another date where one stands."""
    return DATE.sub(lambda _: dice.choice(DATES), data)


def line(dice: random.Random, data: bytes) -> bytes:
    """A line of the head that is odd, twice there, or gone."""
    top, end, body = data.partition(b"\r\n\r\n")
    lines = top.split(b"\r\n")
    at = dice.randrange(len(lines))
    lines[at : at + 1] = dice.choice(
        ([], [lines[at]] * 2, [lines[at], dice.choice(LINES)], [dice.choice(LINES)])
    )
    return b"\r\n".join(lines) + end + body


def noise(dice: random.Random, data: bytes) -> bytes:
    """Some bytes that are others."""
    changed = bytearray(data)
    for _ in range(dice.randint(1, 8)):
        changed[dice.randrange(len(changed))] = dice.randrange(256)
    return bytes(changed)


def cut(dice: random.Random, data: bytes) -> bytes:
    """No end."""
    return data[: dice.randrange(len(data))]


def grown(dice: random.Random, data: bytes) -> bytes:
    """A part of it many times."""
    start = dice.randrange(len(data))
    part = data[start : start + dice.randint(1, 40)]
    return data[:start] + part * dice.choice((2, 20, 2000)) + data[start:]


def feeds(dice: random.Random, data: bytes) -> bytes:
    """Lines that end in other ways."""
    return data.replace(
        b"\r\n", dice.choice((b"\n", b"\r", b"\r\r\n", b"\n\n", b"\r\n ")), dice.randint(1, 9)
    )


MUTATIONS: Final[tuple[Mutation, ...]] = (number, number, date, line, line, noise, cut, grown, feeds)


def mutant(n: int) -> bytes:
    """The answer to the URL of a number: a well-formed one, mutated once or a few times."""
    dice = random.Random(f"{SEED}:{n}")
    body = dice.choice((PAGE, PIXEL, b"", PAGE[:100]))
    data = dice.choice(HEADS) % len(body) + body
    if dice.random() < 0.2:
        data = CHUNKED + b"%x\r\n%b\r\n0\r\nX-T: 1\r\n\r\n" % (len(body) or 1, body or b"x")
    for _ in range(dice.choice((1, 1, 2, 4))):
        data = dice.choice(MUTATIONS)(dice, data or b"HTTP/1.1 200 OK\r\n\r\n")
    return data


async def step(wire: Wire) -> None:
    """Send the mutant of a URL, and close."""
    wire.keep = False
    n = re.search(r"/(\d+)", wire.asked.url)
    await wire.send(mutant(int(n[1]) if n else 0))


async def check(site: Site, targets: list[Target]) -> Kept:
    """Check all targets in one run."""
    settings = config(
        checks={"not_found": True, "parked": True, "fragments": True},
        retry={"attempts": 2, "max_wait": 0.01, "second_pass": 0},
        network={"read_timeout": 5.0, "connect_timeout": 10.0, "total_timeout": 10.0},
    )
    kept = Kept()
    async with open_run(RunContext(settings, kept, QuietProgress(), (site.detour,))) as run:
        await run.check(by_lane(targets, lanes_of(settings)))
    return kept


async def test_every_mutant_has_a_finding(caplog: pytest.LogCaptureFixture) -> None:
    """As many findings as targets, no traceback, nothing crashed."""
    caplog.set_level(logging.WARNING)
    targets = [
        Target(n, f"http://h{n % HOSTS}.example/{n}", KINDS[n % len(KINDS)], ("part",))
        for n in range(1, COUNT + 1)
    ]
    async with asyncio.timeout(300 + COUNT / 20), serve() as site:
        site.fallback = step
        kept = await check(site, targets)
    verdicts = Counter(finding.verdict for finding in kept.findings.values())
    crashed = [finding.target for finding in kept.findings.values() if finding.verdict is Verdict.CRASHED]
    assert not crashed, f"seed {SEED}: {crashed[:20]}"
    assert {target.url for target in targets} == set(kept.findings)
    assert len(verdicts) > 8, verdicts  # mutants that all fail alike would show nothing
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []
