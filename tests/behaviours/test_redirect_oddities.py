"""Every way in which a Location is odd, and what a chain of them comes to."""

from __future__ import annotations

import base64
import itertools
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from storage.model import Finding, Kind
from tests import certs
from tests.behaviours.table import IMAGE, H, pic
from tests.check import check, config
from tests.site import Site, Step, answer, cut, endless, page, raw, redirect, serve

pytestmark = pytest.mark.libraries

OTHER = "http://other.example"


def to(*locations: bytes | str, status: int = 302) -> Step:
    """A redirect with so many Location lines, in any bytes."""
    raw_ones = (one if isinstance(one, bytes) else one.encode() for one in locations)
    lines = b"".join(b"Location: " + one + b"\r\n" for one in raw_ones)
    return raw(b"HTTP/1.1 %d To\r\n%sContent-Length: 0\r\n\r\n" % (status, lines))


async def follow(step: Step, at: str = f"{H}/x/a", kind: Kind = Kind.IMAGE) -> tuple[Finding, list[str]]:
    """What is said of a page with this step, where every other page is fine, and what was asked."""
    async with serve() as site:
        site.fallback = pic()
        site.add(at, step)
        finding = await check(site, at, kind)
    return finding, [one.url for one in site.log]


@pytest.mark.parametrize(
    ("location", "url"),
    [
        (f"{OTHER}/b", f"{OTHER}/b"),
        (f"{OTHER}", f"{OTHER}/"),
        ("b", f"{H}/x/b"),
        ("./b", f"{H}/x/b"),
        ("../../../b", f"{H}/b"),
        ("/b", f"{H}/b"),
        ("?b=1", f"{H}/x/a?b=1"),
        ("//other.example/b", f"{OTHER}/b"),
        ("/b#part", f"{H}/b"),
        ("  /b  ", f"{H}/b"),
        ("/a b?c d", f"{H}/a%20b?c%20d"),
        ("/a\tb", f"{H}/ab"),
        ("/a%20b%zz", f"{H}/a%20b%zz"),
        ("/%C3%A9%e9", f"{H}/%C3%A9%e9"),
        ("/é", f"{H}/%C3%A9"),
        ("/é".encode("latin-1"), f"{H}/%E9"),
        ("/?q=é".encode("latin-1"), f"{H}/?q=%E9"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("HTTP://OTHER.EXAMPLE/B", f"{OTHER}/B"),
        ("http://other.example:80/b", f"{OTHER}/b"),
        ("http://other.example:8080/b", f"{OTHER}:8080/b"),
        ("http:b", f"{H}/x/b"),
        ("http:/b", f"{H}/b"),
        ("\\b\\c", f"{H}/b/c"),
        ("http:\\\\other.example\\b", f"{OTHER}/b"),
        ("/<b>\"'{c}|^`", f"{H}/%3Cb%3E%22'%7Bc%7D|%5E%60"),
        ("/b;c=1,2&d", f"{H}/b;c=1,2&d"),
    ],
)
async def test_locations_that_lead_somewhere(location: bytes | str, url: str) -> None:
    """A Location is read as browsers read it, and nothing else of it is changed."""
    finding, asked = await follow(to(location))

    assert (finding.verdict, asked[1:]) == ("redirected", [url]), finding.detail
    assert finding.final_url == url


@pytest.mark.parametrize(
    "location",
    [
        *("", "   ", "http://", "http://[nonsense", "http://a b/", "http://other.example:99999/", "//"),
        *("javascript:alert(1)", "data:text/html,hello", "ftp://other.example/b", "file:///etc/passwd"),
        *("mailto:a@b.example", "about:blank", "ws://other.example/", "intent://b#Intent;end", "hhttp://b/"),
    ],
)
async def test_locations_that_lead_nowhere(location: str) -> None:
    """What cannot be parsed, or asked over HTTP, is a bad redirect and costs no other request."""
    finding, asked = await follow(to(location))

    assert (finding.verdict, finding.status, len(asked)) == ("bad-redirect", 302, 1)
    assert finding.detail


@pytest.mark.parametrize(
    ("locations", "verdict"),
    [
        ((), "bad-redirect"),
        (("/b", "/b"), "redirected"),
        (("/b", "/c"), "bad-redirect"),
        (("", "/b"), "bad-redirect"),
    ],
)
async def test_the_number_of_locations(locations: tuple[str, ...], verdict: str) -> None:
    """None, or two that differ, say nothing; the same one twice is one."""
    finding, _ = await follow(to(*locations))

    assert finding.verdict == verdict


@pytest.mark.parametrize("status", [300, 304, 305, 306, 309, 310, 399])
async def test_statuses_that_are_not_followed(status: int) -> None:
    """Some 3xx carry a Location that means something else, or mean nothing at all."""
    finding, asked = await follow(to("/b", status=status))

    assert (finding.verdict, finding.status, len(asked)) == ("bad-redirect", status, 1)


@pytest.mark.parametrize("status", [200, 201, 202])
async def test_a_location_without_a_redirect(status: int) -> None:
    """A success with a Location is a success."""
    step = answer(status, IMAGE, Location="/b")
    finding, asked = await follow(step)

    assert (finding.verdict, len(asked)) == ("ok", 1)


@pytest.mark.parametrize(
    ("chain", "moved_to"),
    [
        ((301,), 1),
        ((308,), 1),
        ((302,), None),
        ((303,), None),
        ((307,), None),
        ((301, 308), 2),
        ((308, 301, 301), 3),
        ((301, 302), 1),
        ((301, 308, 307, 301), 2),
        ((302, 301), None),
        ((307, 308, 301), None),
    ],
)
async def test_where_a_chain_moved_to(chain: tuple[int, ...], moved_to: int | None) -> None:
    """A target moved as far as the permanent redirects at the start of its chain lead."""
    async with serve() as site:
        for number, status in enumerate(chain):
            site.add(f"{H}/{number}", redirect(status, f"/{number + 1}"))
        site.add(f"{H}/{len(chain)}", page())
        finding = await check(site, f"{H}/0")

    assert finding.verdict == ("redirected" if moved_to is None else "moved")
    assert finding.moved_to == (None if moved_to is None else f"{H}/{moved_to}")
    assert [one.status for one in finding.redirects] == list(chain)
    assert finding.final_url == f"{H}/{len(chain)}"


@pytest.mark.parametrize(
    ("chain", "asked"),
    [
        (["a", "a"], 1),
        (["a", "a#part"], 1),
        (["a", "#part"], 1),
        (["a", "http://SITE.example:80/x/../a"], 1),
        (["a", "b", "a"], 2),
        (["a", "b", "b"], 2),
        (["a", "b", "c", "a"], 3),
        (["a", "b", "c", "b"], 3),
    ],
)
@pytest.mark.parametrize("kind", [Kind.WEB, Kind.IMAGE])
async def test_loops(chain: list[str], asked: int, kind: Kind) -> None:
    """A chain ends at the first URL that comes again, whichever it is, and asks nothing twice."""
    async with serve() as site:
        for here, there in itertools.pairwise(chain):
            site.add(f"{H}/{here}", redirect(302, there))
        finding = await check(site, f"{H}/a", kind)

    assert (finding.verdict, finding.attempts) == ("redirect-loop", 1)
    assert len(site.log) == (2 * asked if kind is Kind.WEB else asked)


@pytest.mark.parametrize("most", [0, 1, 3])
async def test_chains_as_long_as_allowed(most: int) -> None:
    """So many redirects are followed, and not one more."""
    settings = config(network={"max_redirects": most})
    async with serve() as site:
        for number in range(most + 1):
            site.add(f"{H}/{number}", redirect(302, f"/{number + 1}"))
        site.add(f"{H}/{most + 1}", pic())
        short = await check(site, f"{H}/1", Kind.IMAGE, settings)
        before = len(site.log)
        long = await check(site, f"{H}/0", Kind.IMAGE, settings)

    assert short.verdict == ("redirected" if most else "ok")
    assert (long.verdict, len(site.log) - before) == ("too-many-redirects", most + 1)


@pytest.mark.parametrize(
    ("of_head", "of_get", "verdict"),
    [
        (redirect(302, "/nowhere"), page(), "ok"),
        (redirect(302, "/a"), page(), "ok"),
        (redirect(302, "javascript:void"), page(), "ok"),
        (answer(302), redirect(301, "/b"), "moved"),
        (redirect(302, "/b"), answer(404), "redirected"),
        (answer(404), redirect(302, "/b"), "redirected"),
        (redirect(302, "/cut"), redirect(301, "/b"), "moved"),
    ],
)
async def test_head_and_get_that_disagree(of_head: Step, of_get: Step, verdict: str) -> None:
    """A chain of HEAD that leads to no page is no evidence; GET starts anew, with a chain of its own."""
    async with serve() as site:
        site.add(f"{H}/a", of_get)
        site.add(f"{H}/a", of_head, method="HEAD")
        site.add(f"{H}/b", page())
        site.add(f"{H}/cut", cut(b"HTTP/1.1 2"))
        finding = await check(site, f"{H}/a")

    assert (finding.verdict, finding.attempts) == (verdict, 1)
    assert len(finding.redirects) == (verdict != "ok")


async def test_a_redirect_whose_body_never_ends() -> None:
    """Nobody waits for the body of a redirect; its connection is given up instead."""
    step = endless(b"HTTP/1.1 301 To\r\nLocation: /b\r\n\r\n", b"x" * 4096)
    finding, asked = await follow(step)

    assert (finding.verdict, asked) == ("moved", [f"{H}/x/a", f"{H}/b"])


async def test_a_redirect_with_a_short_body_keeps_its_connection() -> None:
    """A short body is cheaper to read than a new connection is to open."""
    ports = []

    def seen(step: Step) -> Step:
        async def note(wire: object) -> None:
            ports.append(wire.writer.get_extra_info("peername"))  # type: ignore[attr-defined]  # a Wire
            await step(wire)  # type: ignore[arg-type]  # as above

        return note

    async with serve() as site:
        site.add(f"{H}/a", seen(answer(302, b"<a href=/b>here</a>", Location="/b")))
        site.add(f"{H}/b", seen(pic()))
        finding = await check(site, f"{H}/a", Kind.IMAGE)

    assert finding.verdict == "redirected"
    assert len(ports) == 2
    assert len(set(ports)) == 1


@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.1/", "//10.0.0.1/b", "http://[::1]/", "http://0x7f000001/", "http://localhost/"],
)
async def test_a_redirect_to_a_private_address(location: str) -> None:
    """The guard stands before every hop."""
    async with serve() as site:
        site.add(f"{H}/a", redirect(301, location))
        detours = (f"site.example::127.0.0.1:{site.port}", ":::")
        finding = await check(site, f"{H}/a", Kind.IMAGE, config(), *detours)

    assert (finding.verdict, len(site.log)) == ("blocked-address", 1)


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a request carried."""

    url: str
    token: str | None
    login: str | None


def carried(site: Site) -> list[Secrets]:
    """What each request carried, the login decoded."""
    found = []
    for one in site.log:
        basic = one.headers.get("authorization")
        login = base64.b64decode(basic.removeprefix("Basic ")).decode() if basic else None
        found.append(Secrets(one.url, one.headers.get("x-token"), login))
    return found


@pytest.mark.parametrize(
    ("location", "token", "login"),
    [
        ("/b", "t0ken", "me:s3cret"),
        ("http://me:s3cret@site.example/b", "t0ken", "me:s3cret"),
        ("http://you:0ther@site.example/b", "t0ken", "you:0ther"),
        (f"{OTHER}/b", None, None),
        ("http://you:0ther@other.example/b", None, "you:0ther"),
        ("http://site.example:8080/b", None, None),
        ("http://sub.site.example/b", None, None),
    ],
)
async def test_secrets_at_a_redirect(location: str, token: str | None, login: str | None) -> None:
    """What is private stays with its origin; what a Location says is used, and never told."""
    settings = config(network={"headers": {"site.example": {"X-Token": "t0ken"}}})
    async with serve() as site:
        site.fallback = pic()
        site.add(f"{H}/a", redirect(301, location))
        finding = await check(site, "http://me:s3cret@site.example/a", Kind.IMAGE, settings)
        first, last = carried(site)

    assert finding.verdict == "moved", finding.detail
    assert (first.token, first.login) == ("t0ken", "me:s3cret")
    assert (last.token, last.login) == (token, login)
    told = repr((finding.hops, finding.redirects, finding.final_url, finding.moved_to, finding.detail))
    assert not re.search("s3cret|0ther|t0ken", told)


@pytest.mark.parametrize(
    ("location", "verdict"),
    [
        ("http://you:0ther@other.example/b", "redirect-loop"),
        ("http://you:0ther@no.example/", "excluded"),
    ],
)
async def test_secrets_in_a_chain_that_fails(location: str, verdict: str) -> None:
    """A loop, or an excluded hop, is known and named without the credentials of its URL."""
    settings = config(records={"exclude": ("http://no.example/*",)})
    async with serve() as site:
        site.fallback = redirect(302, location)
        finding = await check(site, f"{H}/a", Kind.IMAGE, settings)

    assert finding.verdict == verdict
    assert finding.detail
    assert "0ther" not in repr(finding)


async def test_https_to_http(tmp_path: Path) -> None:
    """A step down from https is followed, and takes nothing private with it."""
    settings = config(
        network={"ca_file": certs.roots(tmp_path), "headers": {"site.example": {"X-Token": "t"}}}
    )
    async with serve(certs.server(tmp_path, "good", "site.example")) as safe, serve() as plain:
        safe.add("https://site.example/a", redirect(301, f"{H}/b"))
        plain.add(f"{H}/b", pic())
        detour = f"site.example:443:127.0.0.1:{safe.port}"
        finding = await check(plain, "https://site.example/a", Kind.IMAGE, settings, detour)

    assert (finding.verdict, finding.moved_to) == ("moved", f"{H}/b")
    assert safe.log[0].headers["x-token"] == "t"
    assert "x-token" not in plain.log[0].headers
