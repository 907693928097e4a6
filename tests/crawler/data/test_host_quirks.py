"""What is known of single hosts: bundled with its day, and overridden by the configuration."""

from __future__ import annotations

import pytest

from crawler.config import HostRules
from crawler.data import table
from crawler.data.host_quirks import quirks_of
from crawler.data.shapes import HostTable
from crawler.policies import lanes_of
from storage.model import Kind
from tests.check import check, config
from tests.site import answer, page, serve

LANES = [
    ("a-example.cdn.ampproject.org", "b-example.cdn.ampproject.org", True),
    ("www.youtube.com", "youtu.be", True),
    ("one.blogspot.com", "two.blogspot.de", True),
    ("one.github.io", "two.github.io", True),
    ("t.co", "mobile.twitter.com", True),
    ("one.example.com", "one.example.net", False),
    ("notyoutube.com", "youtube.com", False),
]


@pytest.mark.parametrize(("one", "other", "joined"), LANES)
def test_lanes_of_one_park(one: str, other: str, *, joined: bool) -> None:
    """Hosts of one server park share a lane, though their domains are registered apart."""
    lane_of = lanes_of(config())
    assert (lane_of(one) == lane_of(other)) is joined


def test_the_configuration_has_the_last_word_on_lanes() -> None:
    """A pattern of the configuration is a lane of its own, or names one; join = host parts all."""
    patterns = {
        "*.youtube.com": HostRules(),
        "a.example": HostRules(lane="mine"),
        "b.example": HostRules(lane="mine"),
    }
    lane_of = lanes_of(config(hosts={"patterns": patterns}))
    assert lane_of("www.youtube.com") == "*.youtube.com"
    assert lane_of("youtu.be") == "youtube.com"
    assert lane_of("a.example") == lane_of("b.example") == "mine"
    apart = lanes_of(config(hosts={"join": "host"}))
    assert apart("www.youtube.com") != apart("youtu.be")


async def test_a_host_that_refuses_head() -> None:
    """Where HEAD is known to be refused, one GET is the whole check; the configuration may know better."""
    url = "http://www.linkedin.com/in/somebody"
    patterns = {"*.linkedin.com": HostRules(head=True)}
    async with serve() as site:
        site.add(url, page())
        await check(site, url)
        await check(site, url, Kind.WEB, config(hosts={"patterns": patterns}))

    assert site.asked(url) == ["GET", "HEAD"]


async def test_statuses_of_a_wall() -> None:
    """A status by which a host is known to turn robots away says nothing of the page."""
    known_, other = "http://www.amazon.com/dp/1", "http://shop.example/dp/1"
    async with serve() as site:
        for url in (known_, other):
            site.add(url, answer(503))
        behind, down = await check(site, known_), await check(site, other)
        patterns = {"shop.example": HostRules(wall=(503,))}
        told = await check(site, other, Kind.WEB, config(hosts={"patterns": patterns}))

    assert behind.verdict == told.verdict == "bot-blocked"
    assert "503" in (behind.detail or "")
    assert down.verdict == "unavailable"


def test_every_rule_says_why_and_when() -> None:
    """A rule is a fact about somebody else's host, so it has a reason and a day."""
    for rule in table("hosts", HostTable)["rule"]:
        assert rule["why"]
        assert str(rule["date"]) >= "2026-11-23"
        assert {"head", "wall", "lane"} & set(rule)
    assert quirks_of("example.com").head
    assert quirks_of("www.amazon.co.uk").wall == {405, 503}
