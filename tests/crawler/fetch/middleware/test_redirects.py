"""Redirects that set cookies: followed as a browser would, and a loop only with the same cookies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from storage.model import Kind
from tests.behaviours.table import H, pic
from tests.check import check, check_all, config
from tests.site import Site, Step, Wire, answer, redirect, serve

OTHER = "http://other.example"


def by_cookie(cookie: str, with_it: Step, without: Step) -> Callable[[Wire], Awaitable[None]]:
    """A step for requests that carry a cookie, and one for others."""

    async def step(wire: Wire) -> None:
        sent = wire.asked.headers.get("cookie", "")
        await (with_it if cookie in sent else without)(wire)

    return step


def setting(location: str, *cookies: str, status: int = 302, **headers: str) -> Step:
    """A redirect that sets cookies."""

    async def step(wire: Wire) -> None:
        lines = "".join(f"Set-Cookie: {cookie}\r\n" for cookie in cookies)
        lines += "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {status} X\r\nLocation: {location}\r\n{lines}Content-Length: 0\r\n\r\n"
        await wire.send(head.encode())

    return step


async def verdict(site: Site, url: str = f"{H}/a") -> str:
    """The verdict on an image, which is asked by GET alone."""
    return str((await check(site, url, Kind.IMAGE)).verdict)


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (302, {}, "redirected"),
        (303, {}, "redirected"),
        (307, {}, "redirected"),
        (301, {}, "redirect-loop"),
        (308, {}, "redirect-loop"),
        (301, {"Cache_Control": "no-store"}, "moved"),
    ],
)
async def test_a_page_that_redirects_to_itself_with_a_cookie(
    status: int, headers: dict[str, str], expected: str
) -> None:
    """The second request carries the cookie; a browser would not ask again where the first 301 is kept."""
    async with serve() as site:
        site.add(f"{H}/a", by_cookie("s=1", pic(), setting("/a", "s=1; Path=/", status=status, **headers)))

        assert await verdict(site) == expected


async def test_a_bounce_by_a_page_that_sets_the_cookie() -> None:
    """There and back is no loop if something was learned on the way."""
    async with serve() as site:
        site.add(f"{H}/a", by_cookie("s=1", pic(), redirect(302, "/set")))
        site.add(f"{H}/set", setting("/a", "s=1; Path=/"))

        assert await verdict(site) == "redirected"


async def test_the_same_url_with_the_same_cookies_is_a_loop() -> None:
    """A cookie that was there before changes nothing, and the chain ends at the first repeat."""
    async with serve() as site:
        site.add(f"{H}/a", setting("/a", "s=1; Path=/"))

        assert await verdict(site) == "redirect-loop"
        assert len(site.log) == 2


async def test_cookies_that_change_for_ever_end_with_the_limit() -> None:
    """Each hop has other cookies than all before it."""
    count = 0

    async def step(wire: Wire) -> None:
        nonlocal count
        count += 1
        await setting("/a", f"n={count}; Path=/")(wire)

    async with serve() as site:
        site.add(f"{H}/a", step)

        assert await verdict(site) == "too-many-redirects"


async def test_cookies_do_not_leave_their_site() -> None:
    """Another host gets none, and the first gets its own again."""
    async with serve() as site:
        site.add(f"{H}/a", by_cookie("s=1", pic(), setting(f"{OTHER}/b", "s=1; Path=/")))
        site.add(f"{OTHER}/b", setting(f"{H}/a", "t=2; Path=/"))

        assert await verdict(site) == "redirected"
        assert [one.headers.get("cookie") for one in site.log] == [None, None, "s=1"]


async def test_cookies_live_for_one_visit() -> None:
    """What one target was given no other target sends; another attempt of the same does."""
    async with serve() as site:
        site.add(f"{H}/a", by_cookie("s=1", pic(), answer(503, Set_Cookie="s=1; Path=/")))
        site.add(f"{H}/b", pic())
        targets = {f"{H}/a": Kind.IMAGE, f"{H}/b": Kind.IMAGE}
        settings = config(retry={"attempts": 2})
        findings = await check_all(site, targets, settings)

        assert {str(finding.verdict) for finding in findings.values()} == {"ok"}
        assert [one.headers.get("cookie") for one in site.log if one.url.endswith("/b")] == [None]


async def test_configured_cookies_go_along() -> None:
    """Those of [network.headers] stand before those of the visit, and stay with their host."""
    async with serve() as site:
        site.add(f"{H}/a", by_cookie("s=1", redirect(302, f"{OTHER}/b"), setting("/a", "s=1; Path=/")))
        site.add(f"{OTHER}/b", pic())
        host = H.partition("//")[2]
        settings = config(network={"headers": {host: {"cookie": "login=me"}}})
        finding = await check(site, f"{H}/a", Kind.IMAGE, settings)

        assert str(finding.verdict) == "redirected"
        sent = [one.headers.get("cookie") for one in site.log]
        assert sent == ["login=me", "login=me; s=1", None]
