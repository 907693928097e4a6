"""Every phase in which a server can fall silent or drip, within the limits that users have.

Time is virtual: the limits are the real defaults (10 s to connect, 20 s of silence, 60 s an
attempt), and the clock jumps over the waits.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack
from dataclasses import dataclass
from types import SimpleNamespace
from unittest import mock

import pytest

from crawler.config import ChecksSection, Config, Duration, NetworkSection, RetrySection
from crawler.demo.web import png
from crawler.engine.context import RunContext
from crawler.progress import QuietProgress
from crawler.wiring import open_run
from storage.model import Finding, Kind, RunEnd, Size, Target
from tests import clock
from tests.behaviours.table import CHUNKED
from tests.check import Kept, check, check_all, config
from tests.leaks import none_left
from tests.site import Site, Step, answer, drip, hang, serve

# The limits that users have; probes and the second pass have tests of their own.
DEFAULT = Config(
    checks=ChecksSection(not_found=False, parked=False), retry=RetrySection(second_pass=Duration(0))
)
TOTAL = DEFAULT.network.total_timeout
ATTEMPTS = DEFAULT.retry.attempts
BACKOFF = DEFAULT.retry.backoff * 2**ATTEMPTS  # more than all waits between the attempts
HEAD = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: 100000\r\n\r\n"
SMALL, LARGE = png(Size(40, 30)), png(Size(40, 30)) + b"\0" * 4096
AMP = b"<!doctype html><html amp><title>A page</title>" + b"x" * 70_000
AT = "http://slow.example/"
SILENT = "read: nothing more came in time"
OVER = "read: the time for one attempt was over"


@dataclass(frozen=True, slots=True)
class Case:
    """What a server does to GET (and to HEAD, if it is asked), and what is said of it."""

    does: str
    step: Step
    verdict: str
    detail: str | None = None
    kind: Kind = Kind.WEB


CASES = [
    Case("no byte of an answer", hang(), "timeout", SILENT),
    Case("half a status line", hang(b"HTTP/1.1 20"), "timeout", SILENT),
    Case("silence between two headers", hang(HEAD + b"X-A: b\r\n"), "timeout", SILENT),
    Case("silence in a header's name", hang(HEAD + b"X-"), "timeout", SILENT),
    Case("silence after 100 Continue", hang(b"HTTP/1.1 100 Continue\r\n\r\n"), "timeout", SILENT),
    Case("a page without its body", hang(HEAD + LENGTH), "timeout", SILENT, Kind.AMP),
    Case("a page with half its body", hang(HEAD + LENGTH + b"half"), "timeout", SILENT, Kind.AMP),
    Case("a chunk that does not end", hang(CHUNKED + b"fff\r\nhalf"), "timeout", SILENT, Kind.AMP),
    Case("chunks without the last one", hang(CHUNKED + b"1\r\na\r\n"), "timeout", SILENT, Kind.AMP),
    Case("more of a page than is read", hang(HEAD + LENGTH + AMP), "ok", None, Kind.AMP),
    Case("an image without its bytes", hang(HEAD + LENGTH), "timeout", SILENT, Kind.IMAGE),
    Case("an image before its size", hang(HEAD + LENGTH + SMALL[:12]), "timeout", SILENT, Kind.IMAGE),
    Case("an image behind its size", hang(HEAD + LENGTH + LARGE), "ok", None, Kind.IMAGE),
    Case("a status line, a byte a second", drip(b"", b"HTTP/1.1 200 " + b"O" * 99), "timeout", OVER),
    Case("headers, a byte a second", drip(HEAD, b"X-A: b\r\n"), "timeout", OVER),
    Case("headers, a byte in 15 s", drip(HEAD, b"X-A: b\r\n", 15), "timeout", OVER),
    Case("headers, a byte in 25 s", drip(HEAD, b"X-A: b\r\n", 25), "timeout", SILENT),
    Case("1xx answers, a byte a second", drip(b"", b"HTTP/1.1 103 Hints\r\n\r\n"), "timeout", OVER),
    Case("a page, a byte a second", drip(HEAD + LENGTH, b"x"), "timeout", OVER, Kind.AMP),
    Case("a page of 30 bytes, a byte a second", drip(HEAD + b"Content-Length: 30\r\n\r\n", b"x"), "ok", None),
    Case("chunks, a byte a second", drip(CHUNKED, b"1\r\na\r\n"), "timeout", OVER, Kind.AMP),
    Case("trailers, a byte a second", drip(CHUNKED + b"0\r\n", b"X-A: b\r\n"), "timeout", OVER, Kind.AMP),
    Case("an image, a byte a second", drip(HEAD + LENGTH, LARGE), "timeout", OVER, Kind.IMAGE),
    Case("an image, 100 bytes a second", drip(HEAD + LENGTH, LARGE, size=100), "ok", None, Kind.IMAGE),
    Case("a refusal with a body that drips", drip(b"HTTP/1.1 404 No\r\n\r\n", b"x"), "not-found", None),
    Case(
        "a redirect with a body that drips",
        drip(b"HTTP/1.1 302 No\r\nLocation: /b\r\n\r\n", b"x"),
        "redirected",
    ),
]


async def ask(site: Site, url: str, kind: Kind, *detours: str) -> Finding:
    """The finding, once it is sure that no attempt took too long and that nothing is left."""
    clock_of_loop = SimpleNamespace(monotonic=asyncio.get_running_loop().time)
    start = clock_of_loop.monotonic()
    # What is left of an attempt is counted by the real clock, which stands still meanwhile.
    with mock.patch("crawler.fetch.transport.client.time", clock_of_loop):
        async with none_left(site):
            finding = await check(site, url, kind, DEFAULT, *detours)
    took = [sum(hop.elapsed for hop in finding.hops if hop.attempt == n) for n in range(1, ATTEMPTS + 1)]
    assert max(took) <= TOTAL + 0.001
    assert clock_of_loop.monotonic() - start <= sum(took) + BACKOFF
    return finding


@pytest.mark.parametrize("case", CASES, ids=[case.does for case in CASES])
def test_answers(case: Case) -> None:
    """What is slow beyond its limit is a time-out that names its phase; no other thing is."""

    async def main() -> Finding:
        async with serve() as site:
            site.add(AT, case.step)
            site.add(f"{AT}b", answer(200))
            finding = await ask(site, AT, case.kind)
            assert len(site.log) == finding.requests
        return finding

    finding = clock.run_on_sockets(main())

    assert (finding.verdict, finding.detail) == (case.verdict, case.detail)
    assert finding.attempts == (ATTEMPTS if case.verdict == "timeout" else 1)


def test_connections() -> None:
    """A host whose queue is full takes no connection: the time to connect counts, not all of it."""

    async def main() -> Finding:
        with ExitStack() as stack:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
            for _ in range(4):
                filler = stack.enter_context(socket.socket())
                filler.setblocking(False)
                filler.connect_ex(listener.getsockname())
            async with serve() as site:
                return await ask(site, AT, Kind.WEB, f"::127.0.0.1:{listener.getsockname()[1]}")

    finding = clock.run_on_sockets(main())

    assert (finding.verdict, finding.detail) == ("timeout", "connect: nothing within 10 s")
    assert [(hop.method, round(hop.elapsed, 3)) for hop in finding.hops] == [
        ("HEAD", 10),
        ("GET", 10),
        ("GET", 10),
    ]


@pytest.mark.parametrize(
    "hello",
    [hang(), hang(b"\x16\x03\x03\x40\x00half"), drip(b"\x16\x03\x03\x40\x00", b"\0")],
    ids=["silence", "half a hello", "a byte a second"],
)
def test_handshakes(hello: Step) -> None:
    """A handshake has a time of its own, and no byte of it makes that longer."""

    async def main() -> Finding:
        async with serve() as site:
            site.greeting = hello
            return await ask(site, AT.replace("http", "https"), Kind.WEB)

    finding = clock.run_on_sockets(main())

    assert (finding.verdict, finding.detail) == ("timeout", "tls: nothing within 10 s")
    assert [round(hop.elapsed, 3) for hop in finding.hops] == [10, 10, 10]


@pytest.mark.parametrize(
    "step",
    [hang(), hang(HEAD + LENGTH), drip(b"", HEAD), drip(HEAD + LENGTH, b"#")],
    ids=["nothing", "no body", "a slow head", "a slow body"],
)
def test_robots_txt(step: Step) -> None:
    """robots.txt has the time of one attempt, and what cannot be read forbids everything."""
    network = NetworkSection(robots=True, total_timeout=Duration(15))
    settings = Config(checks=DEFAULT.checks, retry=DEFAULT.retry, network=network)

    async def main() -> tuple[Finding, float]:
        async with serve() as site:
            site.add(f"{AT}robots.txt", step)
            async with none_left(site):
                finding = await check(site, AT, Kind.WEB, settings)
        return finding, asyncio.get_running_loop().time()

    finding, took = clock.run_on_sockets(main())

    assert (finding.verdict, finding.requests) == ("robots-denied", 0)
    assert took == pytest.approx(15, abs=0.1)


@pytest.mark.parametrize("robots", [True, False])
async def test_a_run_that_is_told_to_end_leaves_nothing(*, robots: bool) -> None:
    """Whatever a run waits for, it waits no longer once it is told to end."""
    kept, settings = Kept(), config(network={"robots": robots, "read_timeout": Duration(60)})
    async with serve() as site:
        site.fallback = hang()
        async with (
            none_left(site),
            open_run(RunContext(settings, kept, QuietProgress(), (site.detour,))) as running,
        ):
            targets = [(f"h{n}.example", Target(n, f"http://h{n}.example/", Kind.WEB)) for n in range(3)]
            run = asyncio.create_task(running.check(targets))
            await site.hear(3)
            running.abort(RunEnd.INTERRUPTED, "the user said so")
            await run


def test_pages_without_an_end_are_pages_and_hold_up_no_other() -> None:
    """A page that drips for ever is read for a few seconds, so that quick hosts have their turn soon."""
    slow = [f"http://slow{number}.example/" for number in range(64)]
    quick = [f"http://quick{number}.example/" for number in range(64)]

    async def main() -> tuple[dict[str, Finding], float]:
        clock_of_loop = SimpleNamespace(monotonic=asyncio.get_running_loop().time)
        async with serve() as site:
            for url in slow:
                site.add(url, answer(405), method="HEAD")
                site.add(url, drip(HEAD + LENGTH, b"x"))
            site.fallback = answer(200)
            settings = config(
                network={"concurrency": 16, "read_timeout": Duration(20), "total_timeout": Duration(60)},
                hosts={"per_address": 64},
            )
            with mock.patch("crawler.fetch.transport.client.time", clock_of_loop):
                found = await check_all(site, dict.fromkeys([*slow, *quick], Kind.WEB), settings)
        return found, clock_of_loop.monotonic()

    found, took = clock.run_on_sockets(main())
    assert {finding.verdict for finding in found.values()} == {"ok"}
    assert took < 64 / 16 * 7 + 5
