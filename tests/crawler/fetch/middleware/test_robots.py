"""robots.txt as RFC 9309 has it: what it forbids, when it is read, and for how long it holds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.config import Config, Duration
from crawler.errors import FetchError, RobotsDenied
from crawler.fetch.base import NO_HEADERS, Fetch, Request, Response
from crawler.fetch.middleware.robots import MAX_ROBOTS_BYTES, RobotsSettings, fresh_for, robots
from crawler.fetch.middleware.robots_rules import parse, product
from storage.model import Finding, Kind
from tests.check import SILENCE_AT_FIRST, check, check_all, config
from tests.site import Site, Step, answer, close, hang, page, raw, redirect, reset, serve

pytestmark = pytest.mark.libraries

H = "http://site.example"
NONE: Mapping[str, Step] = {}
OBEY = config(network={"robots": True})
OBEY_SILENCE = config(network={"robots": True, **SILENCE_AT_FIRST})
FORBID = answer(200, b"User-agent: *\nDisallow: /")


async def checked(
    *steps: Step, path: str = "/a", pages: Mapping[str, Step] = NONE, settings: Config = OBEY
) -> tuple[Finding, Site]:
    """The finding on a page of a site whose robots.txt does this; and the site."""
    async with serve() as site:
        site.fallback = page()
        site.add(f"{H}/robots.txt", *steps)
        for name, step in pages.items():
            site.add(f"{H}/{name}", step)
        finding = await check(site, H + path, Kind.WEB, settings)
    return finding, site


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 429, 451])
async def test_unavailable_allows_everything(status: int) -> None:
    """2.3.1.3: a 4xx says that there is no such file."""
    finding, _ = await checked(answer(status, b"User-agent: *\nDisallow: /"))

    assert finding.verdict == "ok"


@pytest.mark.parametrize("status", [500, 502, 503, 599])
async def test_unreachable_forbids_everything(status: int) -> None:
    """2.3.1.4: a 5xx says that the site is in trouble, so nothing of it is asked."""
    finding, site = await checked(answer(status))

    assert finding.verdict == "robots-denied"
    assert site.asked(f"{H}/a") == []


async def test_a_failure_that_passes_is_asked_again() -> None:
    """One bad moment of robots.txt forbids nothing."""
    finding, site = await checked(answer(503), reset, answer(200, b"User-agent: *\nDisallow: /b"))

    assert finding.verdict == "ok"
    assert len(site.asked(f"{H}/robots.txt")) == 3


@pytest.mark.parametrize(
    "step",
    [
        close,
        hang(),
        raw(b"nonsense\r\n\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nUser-agent: *"),
    ],
    ids=["closed", "hangs", "garbage", "breaks off"],
)
async def test_what_cannot_be_read_forbids_everything(step: Step) -> None:
    """2.3.1.4: so does a server that speaks, but not HTTP, or not to the end."""
    finding, site = await checked(step, settings=OBEY_SILENCE)

    assert finding.verdict == "robots-denied"
    assert site.asked(f"{H}/a") == []


@pytest.mark.parametrize(
    ("url", "verdict"),
    [("http://nobody.invalid/", "no-such-host"), ("http://closed.example/", "refused")],
)
async def test_an_origin_that_is_not_there_is_told_so(url: str, verdict: str) -> None:
    """Where nobody is, there is no robots.txt to forbid anything."""
    async with serve() as site:
        finding = await check(site, url, Kind.WEB, OBEY, "closed.example::127.0.0.1:1", "nobody.invalid:::")

    assert finding.verdict == verdict
    assert (finding.detail or "").startswith("its robots.txt: ")


@pytest.mark.parametrize(("hops", "verdict"), [(5, "robots-denied"), (6, "ok")])
async def test_five_redirects_are_followed(hops: int, verdict: str) -> None:
    """2.3.1.2: five are; what is more may be taken for no file."""
    steps = {f"r{n}": redirect(302, f"/r{n + 1}") for n in range(1, hops)}
    steps[f"r{hops}"] = FORBID
    finding, _ = await checked(redirect(301, "/r1"), pages=steps)

    assert finding.verdict == verdict


async def test_the_file_of_another_host_counts_for_this_one() -> None:
    """2.3.1.2: rules that come by a redirect are those of the host that was asked."""
    async with serve() as site:
        site.fallback = page()
        site.add(f"{H}/robots.txt", redirect(302, "http://other.example/rules"))
        site.add("http://other.example/rules", answer(200, b"User-agent: *\nDisallow: /a"))
        found = await check_all(site, {f"{H}/a": Kind.WEB, f"{H}/b": Kind.WEB}, OBEY)

    assert [found[f"{H}/{name}"].verdict for name in "ab"] == ["robots-denied", "ok"]


async def test_the_file_itself_is_allowed() -> None:
    """2.2.2: robots.txt may be asked for whatever it says."""
    finding, _ = await checked(FORBID, path="/robots.txt")

    assert finding.verdict == "ok"


async def test_500_kib_are_read_and_no_more() -> None:
    """2.5: a rule within the bound counts, one behind it does not, and half a line is none."""
    filler = b"# " + b"x" * 97 + b"\n"
    head = b"User-agent: *\nDisallow: /a\n"
    body = head + filler * ((MAX_ROBOTS_BYTES - len(head)) // len(filler))
    body += b"#" * (MAX_ROBOTS_BYTES - len(body) - len(b"\nDisallow: /"))
    body += b"\nDisallow: /b\nDisallow: /c\n" + filler * 99
    async with serve() as site:
        site.fallback = page()
        site.add(f"{H}/robots.txt", answer(200, body))
        found = await check_all(site, {f"{H}/{name}": Kind.WEB for name in "abcd"}, OBEY)

    assert [found[f"{H}/{name}"].verdict for name in "abcd"] == ["robots-denied", "ok", "ok", "ok"]


async def test_it_is_read_once_an_origin() -> None:
    """Many pages of a host, and each hop of a chain, need one reading of each origin."""
    async with serve() as site:
        site.fallback = page()
        site.add(f"{H}/robots.txt", answer(200, b"User-agent: *\nDisallow: /no"))
        site.add(f"{H}/0", redirect(302, "http://other.example/x"))
        site.add("http://other.example/robots.txt", FORBID)
        found = await check_all(site, {f"{H}/{n}": Kind.WEB for n in range(9)}, OBEY)

    assert found[f"{H}/0"].verdict == "robots-denied"
    assert {found[f"{H}/{n}"].verdict for n in range(1, 9)} == {"ok"}
    assert len(site.asked(f"{H}/robots.txt")) == 1
    assert len(site.asked("http://other.example/robots.txt")) == 1


async def test_who_waits_for_the_file_holds_no_seat() -> None:
    """A host that is slow with its robots.txt leaves the seats of the run to the others."""
    settings = config(
        network={
            "robots": True,
            "concurrency": 2,
            "read_timeout": Duration(20),
            "total_timeout": Duration(20),
        }
    )
    quick = asyncio.Event()
    async with serve() as site:
        site.fallback = page()

        async def slow(wire: object) -> None:
            await quick.wait()
            await answer(404)(wire)  # type: ignore[arg-type]  # a Wire

        async def last(wire: object) -> None:
            quick.set()
            await page()(wire)  # type: ignore[arg-type]  # a Wire

        site.add(f"{H}/robots.txt", slow)
        site.add("http://quick.example/a", last)
        targets = {f"{H}/{n}": Kind.WEB for n in range(20)} | {"http://quick.example/a": Kind.WEB}
        async with asyncio.timeout(15):
            found = await check_all(site, targets, settings)

    assert {finding.verdict for finding in found.values()} == {"ok"}
    assert len(site.asked(f"{H}/robots.txt")) == 1


class Origin:
    """An origin by script on a clock that is moved by hand: how often its file is read."""

    def __init__(self, *said: Response | FetchError) -> None:
        self.said, self.reads, self.now = said, 0, 0.0
        settings = RobotsSettings("linkhealth/0.1", lambda _: None, lambda: self.now)
        self.ask = robots((), settings)(self.fetch)

    async def fetch(self, request: Request) -> Response:
        """The file, or any other page."""
        is_file = request.url.endswith("/robots.txt")
        return await (self.read(request) if is_file else self.page(request))

    async def read(self, _: Request) -> Response:
        """The file."""
        self.reads += 1
        said = self.said[min(self.reads, len(self.said)) - 1]
        if isinstance(said, FetchError):
            raise said
        return said

    async def page(self, request: Request) -> Response:
        """Any other page."""
        return Response(request.url, 200)

    async def allows(self, at: float, path: str = "/a") -> bool:
        """Whether a page may be asked for at a time."""
        self.now = at
        try:
            await self.ask(Request(H + path))
        except RobotsDenied:
            return False
        return True


def file(body: bytes = b"User-agent: *\nDisallow: /a", headers: Mapping[str, str] = NO_HEADERS) -> Response:
    """An answer that carries a file."""
    return Response(f"{H}/robots.txt", 200, headers, body)


HOUR = 3600.0
OURS = "User-agent: linkhealth"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 24 * HOUR),
        ({"Cache-Control": "max-age=3600"}, HOUR),
        ({"Cache-Control": "public, max-age=604800"}, 24 * HOUR),
        ({"Cache-Control": "no-cache"}, 300),
        ({"Cache-Control": "max-age=0"}, 300),
        ({"Expires": "Tue, 24 Nov 2026 02:00:00 GMT", "Date": "Tue, 24 Nov 2026 00:00:00 GMT"}, 2 * HOUR),
        ({"Expires": "0"}, 300),
    ],
)
async def test_it_is_kept_while_it_is_fresh(headers: dict[str, str], seconds: float) -> None:
    """2.4: as HTTP says, for a day at most; and five minutes at least, for politeness."""
    first = file(headers=headers)
    origin = Origin(first, file(b""))

    assert fresh_for(first) == timedelta(seconds=seconds)
    assert [await origin.allows(at) for at in (0, seconds - 1, seconds + 1)] == [False, False, True]
    assert origin.reads == 2


async def test_an_old_copy_serves_while_the_origin_is_in_trouble() -> None:
    """2.4: what was known goes on to hold until there is something new."""
    origin = Origin(file(), Response(H, 503), FetchError("trouble"), file(b""))
    days = [await origin.allows(day * 25 * HOUR, path) for day in range(4) for path in ("/a", "/b")]

    assert days == [False, True, False, True, False, True, True, True]
    assert origin.reads == 4


async def test_trouble_is_not_remembered_for_long() -> None:
    """The second pass, a minute later, reads it again."""
    origin = Origin(Response(H, 503), file(b""))

    assert [await origin.allows(at) for at in (0, 29, 31)] == [False, False, True]


async def test_who_reads_may_be_cancelled() -> None:
    """The next that waits reads in its place."""
    origin = Origin(file(b""))
    begun, blocked = asyncio.Event(), asyncio.Event()

    def stuck(fetch: Fetch) -> Fetch:
        async def ask(request: Request) -> Response:
            begun.set()
            await blocked.wait()
            return await fetch(request)

        return ask

    ask = robots((stuck,), RobotsSettings("linkhealth/0.1", lambda _: None))(origin.fetch)
    tasks = [asyncio.ensure_future(ask(Request(f"{H}/{n}"))) for n in range(3)]
    await begun.wait()
    tasks[0].cancel()
    blocked.set()
    ended = await asyncio.gather(*tasks, return_exceptions=True)

    assert isinstance(ended[0], asyncio.CancelledError)
    assert all(isinstance(one, Response) for one in ended[1:])
    assert origin.reads == 1


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("User-agent: *\nDisallow: /a", "a"),
        ("User-agent: LinkHealth\nDisallow: /a\nUser-agent: *\nDisallow: /b", "a"),
        ("User-agent: linkhealth/9 (any)\nDisallow: /a", "a"),
        ("User-agent: link\nDisallow: /", ""),
        ("User-agent: linkhealthier\nDisallow: /", ""),
        ("User-agent: linkhealth\n\nUser-agent: *\nDisallow: /a", "a"),
        ("User-agent: linkhealth\nDisallow:\nUser-agent: *\nDisallow: /", ""),
        ("User-agent: x\nUser-agent: linkhealth\nDisallow: /a\nUser-agent: y\nDisallow: /b", "a"),
        (
            f"{OURS}\nDisallow: /a\nUser-agent: *\nDisallow: /\n{OURS}\nDisallow: /c",
            "ac",
        ),
        ("User-agent: x\nSitemap: http://x/\nUser-agent: linkhealth\nDisallow: /a", "a"),
        (f"{OURS}\nCrawl-delay: 9\nUser-agent: x\nDisallow: /a", "a"),
        ("User-agent: x\nUnheard-of: 1\nno colon at all\nUser-agent: linkhealth\nDisallow: /b", "b"),
        (f"User-agent: x\nDissallow: /a\n{OURS}\nDisallow: /b", "b"),
        ("Disallow: /\nUser-agent: *\nDisallow: /a", "a"),
        ("user-agent : * # all\n disallow : /a # this", "a"),
        ("User-agent: *\r\nDisallow: /\rAllow: /b\nAllow: /c", "a"),
        ("User-agent: *\nDisallow: /*\nAllow: /a$", "bc"),
        ("<html>User-agent: *", ""),
        ("", ""),
    ],
)
def test_groups_and_rules(text: str, denied: str) -> None:
    """2.2: one's own groups are one, others do not count, the longest rule decides."""
    allows = parse(text, "linkhealth")

    assert "".join(name for name in "abc" if not allows(f"{H}/{name}")) == denied


async def test_a_byte_order_mark_hides_no_rule() -> None:
    """Editors write it, and the first line is that of an agent."""
    assert not await Origin(file("\ufeffUser-agent: *\nDisallow: /a".encode())).allows(0)


def test_ten_thousand_agents_do_not_multiply_the_rules() -> None:
    """A file within the bound costs what its length is worth, not agents times rules."""
    agents = [*(f"a{n}" for n in range(10_000)), "linkhealth"]
    text = "".join(f"User-agent: {agent}\n" for agent in agents) + "Disallow: /a$\n" * 20_000
    allows = parse(text, "linkhealth")

    assert not allows(f"{H}/a")
    assert len(allows.args[0]._user_agents) == 1  # type: ignore[attr-defined]  # a partial of Protego


def test_many_stars_in_a_rule_take_no_time() -> None:
    """A rule is matched in time that grows with its length, whatever stands in it."""
    rule = "*a" * 12 + "b"
    began = time.process_time()

    assert parse(f"User-agent: *\nDisallow: /{rule}", "linkhealth")(f"{H}/{'a' * 300}")
    assert time.process_time() - began < 1.0


@given(st.binary(max_size=2000) | st.text("User-agent:*\n\r\0/$ DislowA", max_size=500).map(str.encode))
def test_any_bytes_have_a_meaning(data: bytes) -> None:
    """Whatever a server sends, each page is allowed or not."""
    assert parse(data.decode("utf-8-sig", "replace"), "linkhealth")(f"{H}/a") in {True, False}


@pytest.mark.parametrize(
    ("agent", "token"),
    [
        ("linkhealth/0.1 (+https://pypi.org/project/linkhealth/)", "linkhealth"),
        ("Mozilla/5.0 (compatible; My-Bot/2.1; +https://my.example/)", "my-bot"),
        ("curl", "curl"),
        ("", ""),
    ],
)
def test_the_product_token(agent: str, token: str) -> None:
    """2.2.1: the group is found by the product, never by a word of its address."""
    assert product(agent) == token
