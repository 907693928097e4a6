"""HEAD first, as long as it is of use: what one host teaches in a run."""

from __future__ import annotations

import asyncio

import pytest

from crawler.fetch.middleware.head_first import MAX_FUTILE_HEADS
from storage.model import Kind
from tests.check import check_all, config
from tests.site import Site, answer, hang, page, serve

pytestmark = pytest.mark.libraries


def shop(site: Site, host: str, count: int) -> list[str]:
    """Pages of a host, which are fine by GET."""
    urls = [f"http://{host}/{number}" for number in range(count)]
    for url in urls:
        site.add(url, page())
    return urls


async def test_a_host_that_refuses_head_is_asked_with_get_soon() -> None:
    """Three HEADs in a row that a good GET had to follow are enough; another host is another matter."""
    async with serve() as site:
        urls, others = shop(site, "deaf.example", 8), shop(site, "good.example", 4)
        for url in urls:
            site.add(url, answer(405), method="HEAD")
        settings = config(hosts={"per_host": 1})
        found = await check_all(site, dict.fromkeys([*urls, *others], Kind.WEB), settings)

    assert {one.verdict for one in found.values()} == {"ok"}
    asked = [site.asked(url) for url in urls]
    assert asked[:MAX_FUTILE_HEADS] == [["HEAD", "GET"]] * MAX_FUTILE_HEADS
    assert asked[-2:] == [["GET"]] * 2
    assert sum("HEAD" in methods for methods in asked) <= MAX_FUTILE_HEADS + 1  # one may be under way by then
    assert [site.asked(url) for url in others] == [["HEAD"]] * 4


@pytest.mark.parametrize("per_host", [1, 2])
async def test_a_host_that_hangs_on_head_is_not_down(per_host: int) -> None:
    """Where HEAD hangs, a GET tells that the host is well, before anybody calls it down."""
    async with serve() as site:
        urls = shop(site, "hangs.example", 8)
        for url in urls:
            site.add(url, hang(), method="HEAD")
        settings = config(hosts={"per_host": per_host}, network={"read_timeout": 2.0, "total_timeout": 20.0})
        found = await check_all(site, dict.fromkeys(urls, Kind.WEB), settings)

    assert {one.verdict for one in found.values()} == {"ok"}
    assert sum("HEAD" in site.asked(url) for url in urls) <= MAX_FUTILE_HEADS + per_host - 1


async def test_a_host_that_hangs_on_all_costs_one_time_out_and_a_moment() -> None:
    """A HEAD and a GET that hang say of all pages what they say of two."""
    async with serve() as site:
        urls = [f"http://down.example/{number}" for number in range(40)]
        for url in urls:
            site.add(url, hang())
        settings = config(network={"read_timeout": 2.0, "total_timeout": 20.0})
        began = asyncio.get_running_loop().time()
        found = await check_all(site, dict.fromkeys(urls, Kind.WEB), settings)
        took = asyncio.get_running_loop().time() - began

    assert {one.verdict for one in found.values()} == {"timeout"}
    assert sorted(method for url in urls for method in site.asked(url)) == ["GET", "HEAD", "HEAD"]
    assert took < 2 * 2.0


async def test_head_that_is_right_about_a_dead_page_goes_on() -> None:
    """A 404 that GET confirms is no fault of HEAD; nor is one HEAD in two."""
    async with serve() as site:
        urls = shop(site, "mixed.example", 6)
        for url in urls[:3]:
            site.add(url, answer(404))
        for url in urls[3::2]:
            site.add(url, answer(500), method="HEAD")
        settings = config(hosts={"per_host": 1})
        await check_all(site, dict.fromkeys(urls, Kind.WEB), settings)

    assert [site.asked(url) for url in urls] == [["HEAD", "GET"]] * 4 + [["HEAD"], ["HEAD", "GET"]]


@pytest.mark.parametrize("status", [420, 429, 503, 529])
@pytest.mark.parametrize("wait", ["", "1", "7200"])
async def test_head_does_not_decide_even_in_a_single_attempt(status: int, wait: str) -> None:
    """With one attempt a HEAD that is told to slow down is followed by a GET, which alone counts."""
    async with serve() as site:
        site.add("http://busy.example/a", page())
        site.add("http://busy.example/a", answer(status, Retry_After=wait), method="HEAD")
        settings = config(retry={"attempts": 1})
        found = await check_all(site, {"http://busy.example/a": Kind.WEB}, settings)

    finding = found["http://busy.example/a"]
    assert (finding.verdict, finding.attempts) == ("ok", 1)
    assert site.asked("http://busy.example/a") == ["HEAD", "GET"]
