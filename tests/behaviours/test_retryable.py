"""What may pass by itself: each failure that deserves another attempt, once, twice, and for ever.

The table below says how many requests each of them costs. HEAD is asked again with GET in the
same attempt, but for statuses that tell to slow down; a failed connection carried no request, so
the next attempt asks with GET.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from crawler.config import Config
from storage.model import Finding, Kind
from tests.behaviours.table import pic
from tests.check import QUICK, SILENCE_AT_FIRST, check, check_all, config
from tests.site import Site, Step, answer, cut, hang, reset, serve

pytestmark = pytest.mark.libraries

RATE_LIMITS = (420, 429)
STATUSES = (408, 425, *RATE_LIMITS, 500, 502, 503, 504, *range(520, 528), 529, 530)
FAULTS: dict[str, Step] = {
    "reset before any byte": reset,
    "reset in the status line": cut(b"HTTP/1.1 2"),
    "reset between headers": cut(b"HTTP/1.1 200 OK\r\nX-A: b\r\n"),
    "no answer in time": hang(),
    "half an answer in time": hang(b"HTTP/1.1 200 OK\r\nX-A: "),
}
SLOW_DOWN = (420, 429, 503, 529)
EVER = 99
COUNTS = [(kind, fails) for kind in (Kind.WEB, Kind.IMAGE) for fails in (1, 2, EVER)]
Said = tuple[str, int, int]


def script(fails: int, step: Step) -> tuple[Step, ...]:
    """The failure so many times, whatever the method, and then a good answer."""
    return (*[step] * fails, pic())


def cost(fails: int, *, again: bool) -> tuple[int, int]:
    """Attempts and requests until a good answer, or until three attempts are used up.

    `again` tells whether the same attempt asks again, with GET in place of HEAD or without a Range, once.
    """
    extra = 1 if again else 0
    requests = min(fails + 1, 3 + extra)
    return max(1, requests - extra), requests


def said(finding: Finding) -> Said:
    """What the tests below compare."""
    return finding.verdict.value, finding.attempts, finding.requests


async def ask(
    site: Site, kind: Kind, fails: int, steps: dict[str, Step], settings: Config = QUICK
) -> dict[str, Said]:
    """What is said of each failing host, once it is sure that the site saw the same requests."""
    urls = {name: f"http://h{number}.example/" for number, name in enumerate(steps)}
    for name, step in steps.items():
        site.add(urls[name], *script(fails, step))
    findings = await check_all(site, dict.fromkeys(urls.values(), kind), settings)
    for finding in findings.values():
        assert [hop.method for hop in finding.hops] == site.asked(finding.url)
    return {name: said(findings[url]) for name, url in urls.items()}


@pytest.mark.parametrize(("kind", "fails"), COUNTS)
async def test_statuses(kind: Kind, fails: int) -> None:
    """Each status that may pass is asked again, and only its last answer counts."""
    async with serve() as site:
        found = await ask(site, kind, fails, {str(code): answer(code) for code in STATUSES})

    for code in STATUSES:
        last = "rate-limited" if code in RATE_LIMITS else "unavailable"
        verdict = last if fails == EVER else "ok"
        again = kind is Kind.IMAGE or code not in SLOW_DOWN
        assert found[str(code)] == (verdict, *cost(fails, again=again)), code


@pytest.mark.parametrize(("kind", "fails"), COUNTS)
async def test_connections_that_break_or_hang(kind: Kind, fails: int) -> None:
    """A reset or a silence in any place of the head is asked again."""
    async with serve() as site:
        found = await ask(site, kind, fails, FAULTS, config(network=SILENCE_AT_FIRST))

    for name in FAULTS:
        last = "reset" if name.startswith("reset") else "timeout"
        verdict = last if fails == EVER else "ok"
        again = kind is Kind.WEB or last == "reset"  # silence is no refusal of a Range
        assert found[name] == (verdict, *cost(fails, again=again)), name


@contextmanager
def refusing(site: Site, times: int) -> Iterator[str]:
    """A port that refuses so many connections before the site listens there: its detour."""
    loop: Any = asyncio.get_running_loop()
    plain, servers, refused = loop.sock_connect, list[asyncio.Server](), itertools.count(1)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.setblocking(False)

    async def connect(sock: socket.socket, address: tuple[str, int]) -> None:
        try:
            await plain(sock, address)
        except ConnectionRefusedError:
            if next(refused) == times:
                servers.append(await asyncio.start_server(site.handle, sock=listener))
            raise

    loop.sock_connect = connect
    try:
        yield f"::127.0.0.1:{listener.getsockname()[1]}"
    finally:
        loop.sock_connect = plain
        for server in servers:
            server.close()
        listener.close()


@pytest.mark.parametrize(("kind", "fails"), COUNTS)
async def test_refused_connections(kind: Kind, fails: int) -> None:
    """A server that is not up yet is asked again, with no second request in the same attempt."""
    async with serve() as site:
        site.add("http://late.example/", pic())
        with refusing(site, fails) as detour:
            finding = await check(site, "http://late.example/", kind, QUICK, detour)

    verdict = "refused" if fails == EVER else "ok"
    assert said(finding) == (verdict, *cost(fails, again=False))
