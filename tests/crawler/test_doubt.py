"""Pages that answer 200 and are looked at twice, over real sockets, and what that costs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from crawler.sibling import folder_of, sibling
from storage.model import Finding, Kind
from tests.check import check, check_all, config
from tests.program import records, run
from tests.site import Site, Step, answer, page, redirect, serve

H = "http://site.example"
DEEP = f"{H}/news/2020/council-votes-on-new-bridge"
PATIENT = {"connect_timeout": 20, "read_timeout": 20, "total_timeout": 60}  # however busy this machine is
DOUBTING = config(checks={"not_found": True, "parked": True}, network=PATIENT)
STORY = " ".join(
    f"The council met for hour {word} and spoke of the bridge." for word in ("one", "two", "three")
)
CHROME = (
    "<nav>Home World Politics Sport Culture Weather Contact Imprint About us Newsletter Jobs Archive</nav>"
)


def html(title: str, body: str, head: str = "") -> str:
    """A page of the site."""
    return f"<!doctype html><html><head><title>{title}</title>{head}</head><body>{CHROME}{body}</body></html>"


MISSING = html("Page not found - The Site", "<h1>Page not found</h1><p>The page you requested is gone.")
FRONT = html(
    "The Site", "<h1>Today</h1>" + "".join(f"<p>Story {n} of many in town, read on" for n in "abcdefg")
)
LIVE = html("Council votes on new bridge - The Site", f"<h1>Council votes on new bridge</h1><p>{STORY}")
LOGIN = html("Welcome", "<h1>Log in</h1><form><input name=u><input type=password></form><p>" + STORY)
SHELL = "<!doctype html><title>App</title><div id=root></div><script src=/app.js></script>"


async def seen(site: Site, url: str = DEEP) -> Finding:
    """The finding on one web page."""
    return await check(site, url, Kind.WEB, DOUBTING)


ALWAYS: dict[str, tuple[Step, str]] = {
    "not found, politely": (page(MISSING), "soft-404"),
    "the front page": (page(FRONT), "soft-404"),
    "a login": (page(LOGIN), "ok"),
    "a page that scripts draw": (page(SHELL), "ok"),
    "a short live page": (page("<!doctype html><title>A page</title><p>Hello there"), "ok"),
    "nothing": (page(""), "ok"),
    "JSON": (answer(200, b'{"error": "not found"}', Content_Type="application/json"), "ok"),
}


@pytest.mark.parametrize("name", ALWAYS)
async def test_sites_that_say_200_to_anything(name: str) -> None:
    """What a site shows for any path is a soft 404 only where it is a page with something to say."""
    step, verdict = ALWAYS[name]
    async with serve() as site:
        site.fallback = step
        finding = await seen(site)

    assert finding.verdict == verdict, finding.evidence


async def test_an_honest_site_is_believed() -> None:
    """Where a page that cannot exist is a 404, one probe tells it, and no page is read."""
    urls = [f"{H}/news/{n}/council-votes-on-new-bridge" for n in range(20)]
    async with serve() as site:
        for url in urls:
            site.add(url, page(LIVE))
        findings = await check_all(site, dict.fromkeys(urls, Kind.WEB), DOUBTING)
        asked = [(one.method, one.url in urls) for one in site.log]

    assert {finding.verdict for finding in findings.values()} == {"ok"}
    assert {finding.requests for finding in findings.values()} == {1}
    assert sorted(asked) == [("GET", False)] + [("HEAD", True)] * 20


async def test_a_dishonest_site_is_read_page_by_page() -> None:
    """Live and dead pages of one site are told apart, by GET alone once the site is known."""
    live = [f"{H}/news/{n}/council-votes-on-new-bridge" for n in range(10)]
    dead = [f"{H}/news/{n}/mayor-opens-old-school" for n in range(10)]
    async with serve() as site:
        site.fallback = page(MISSING)
        for url in live:
            site.add(url, page(LIVE))
        findings = await check_all(site, dict.fromkeys((*live, *dead), Kind.WEB), DOUBTING)
        heads = [one for one in site.log if one.method == "HEAD"]
        asked = len(site.log)

    assert {findings[url].verdict for url in live} == {"ok"}
    assert {findings[url].verdict for url in dead} == {"soft-404"}
    assert len(heads) <= 4
    assert asked <= 20 + 4 + 1


async def test_reading_a_page_is_no_other_attempt() -> None:
    """A page that was asked by HEAD and read by GET took two requests, in one attempt."""
    async with serve() as site:
        site.fallback = page(MISSING)
        finding = await seen(site)

    assert [hop.method for hop in finding.hops] == ["HEAD", "GET"]
    assert (finding.attempts, finding.requests) == (1, 2)


async def test_the_evidence_is_kept() -> None:
    """A finding says which signs it rests on, and what the site said to the probe."""
    async with serve() as site:
        site.fallback = page(MISSING)
        finding = await seen(site)

    kept = finding.evidence["soft_404"]
    assert isinstance(kept, dict)
    assert kept["points"] == sum(kept["signs"].values()) >= 60
    assert kept["signs"]["the title says so"] == 35
    assert kept["probe"]["status"] == 200
    assert kept["probe"]["url"].startswith(folder_of(DEEP))
    assert "the title says so" in (finding.detail or "")


REDIRECTS = {
    "to the front page": (DEEP, "/", "soft-404"),
    "to the front page in a language": (DEEP, "/en/index.html", "soft-404"),
    "to its section, and no other page": (DEEP, "/news/", "redirected"),
    "to a new place": (DEEP, "/news/2021/bridge", "redirected"),
    "to a login": (DEEP, "/login?next=/", "redirected"),
    "from one front page to another": (f"{H}/index.php", "/", "redirected"),
}


@pytest.mark.parametrize("name", REDIRECTS)
async def test_redirects_to_shallow_places(name: str) -> None:
    """An article that leads to the front page is gone; one that leads to a login or a new place is not."""
    url, to, verdict = REDIRECTS[name]
    async with serve() as site:
        site.add(url, redirect(302, to))
        site.add(f"{H}{to}", page(LOGIN if "login" in to else FRONT))
        finding = await seen(site, url)

    assert finding.verdict == verdict, finding.evidence


async def test_all_unknown_pages_led_to_one_place() -> None:
    """Where a page that cannot exist ends in the same section as the target, the target is gone."""

    async def lead(wire: object) -> None:
        await redirect(302, "/news/")(wire)  # type: ignore[arg-type]  # a Wire

    async with serve() as site:
        site.fallback = lead
        site.add(f"{H}/news/", page(FRONT))
        finding = await seen(site)

    assert finding.verdict == "soft-404"


PROBES: dict[str, Step] = {
    "redirected for ever": redirect(302, "more/"),
    "redirected to itself": redirect(302, ""),
    "refused": answer(403),
    "down": answer(500),
    "asked to come back tomorrow": answer(429, Retry_After="99999"),
}


@pytest.mark.parametrize("name", PROBES)
async def test_a_probe_that_says_nothing(name: str) -> None:
    """What befalls a probe is no fault of the page."""
    async with serve() as site:
        site.fallback = PROBES[name]
        site.add(DEEP, page(LIVE))
        async with asyncio.timeout(60):
            finding = await seen(site)

    assert finding.verdict == "ok"
    assert finding.requests == 1


async def test_a_page_that_is_gone_when_it_is_read() -> None:
    """A page that answers HEAD well and GET with 404 is not there."""
    async with serve() as site:
        site.fallback = page(MISSING)
        site.add(DEEP, page(LIVE), method="HEAD")
        site.add(DEEP, answer(404), method="GET")
        finding = await seen(site)

    assert finding.verdict == "not-found"


async def test_probes_of_a_large_run() -> None:
    """Sites of one page are probed as far as a twelfth of the pages allows, the same ones each time."""
    urls = [f"http://h{n}.example/news/council-votes-on-new-bridge" for n in range(1100)]
    async with serve() as site:
        site.fallback = page(LIVE)
        await check_all(site, dict.fromkeys(urls, Kind.WEB), DOUBTING)
        probes = {one.url for one in site.log} - set(urls)

    assert 80 <= len(probes) <= 140


async def test_nobody_is_probed_when_told_so() -> None:
    """With not_found = false no request is sent but for the target."""
    async with serve() as site:
        site.fallback = page(MISSING)
        finding = await check(site, DEEP, Kind.WEB, config(checks={"not_found": False, "parked": True}))

    assert finding.verdict == "ok"
    assert len(site.log) == 1


async def test_credentials_do_not_follow_a_probe_to_another_origin() -> None:
    """A probe carries what its own origin may see, and nothing else."""
    async with serve() as site:
        site.add(f"{H}/a/b", redirect(302, "http://other.example/a/b"))
        site.add("http://other.example/a/b", page(LIVE))
        await check(site, "http://me:pass@site.example/a/b", Kind.WEB, DOUBTING)
        private = {one.url: "authorization" in one.headers for one in site.log}

    assert private.pop(f"{H}/a/b")
    assert not any(private.values())


SHAPES = ["/news/story-12-of-99.html", "/a/b/", "/", "/x", "/caf%C3%A9/%E4%B8%AD.php?id=3", "/a.b/c.d.e?x#y"]


async def test_the_program_tells_why(tmp_path: Path) -> None:
    """By default an audit finds soft 404s, and explain prints each sign with its points."""
    async with serve() as site:
        site.fallback = page(MISSING)
        records(tmp_path, DEEP)
        done = await run(tmp_path, "audit", "--format", "jsonl", "--connect-to", site.detour)
    story = await run(tmp_path, "explain", DEEP)

    assert done.code == 1
    assert done.lines()[DEEP]["verdict"] == "soft-404"
    assert done.lines()[DEEP]["class"] == "content"
    assert " +35  the title says so" in story.out
    assert f"probe {folder_of(DEEP)}" in story.out


@pytest.mark.parametrize("path", SHAPES)
def test_siblings(path: str) -> None:
    """A sibling lies in the same folder, with the same suffix, and is another one each time."""
    url = f"https://site.example{path}"
    made = {sibling(url) for _ in range(20)}
    bare = path.partition("?")[0].rstrip("/")

    assert len(made) == 20
    assert all(one.startswith(f"https://site.example{bare.rpartition('/')[0]}/") for one in made)
    assert all(one.endswith(".html") == path.endswith(".html") for one in made)
    assert all("?" not in one and one != url for one in made)
