"""Pages that answer 200 and are looked at twice, over real sockets, and what that costs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from crawler.content.probe_url import folder_of, random_sibling
from storage.model import Finding, Kind, Probe
from tests.check import check, check_all, config
from tests.program import records, run
from tests.site import Site, Step, Wire, answer, endless, page, redirect, serve

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
        site.add(f"{H}/news/2020/mayor-opens-old-school", answer(404))
        urls = (DEEP, f"{H}/news/2020/mayor-opens-old-school")
        finding = (await check_all(site, dict.fromkeys(urls, Kind.WEB), DOUBTING))[DEEP]

    assert [hop.method for hop in finding.hops] == ["HEAD", "GET"]
    assert (finding.attempts, finding.requests) == (1, 2)


async def test_the_only_page_of_a_site_is_read_at_once() -> None:
    """One GET does where HEAD and GET were two."""
    async with serve() as site:
        site.fallback = page(MISSING)
        finding = await seen(site)

    assert finding.verdict == "soft-404"
    assert [hop.method for hop in finding.hops] == ["GET"]


async def test_a_page_that_is_what_its_url_names_needs_no_probe() -> None:
    """Its own words are the answer, in one request, and the finding says what was not looked at."""
    async with serve() as site:
        site.fallback = page(MISSING)
        site.add(DEEP, page(LIVE))
        finding = await seen(site)
        requests = len(site.log)

    assert (finding.verdict, requests) == ("ok", 1)
    assert "what its URL names" in (finding.evidence.uninspected or "")


async def test_where_the_probe_fails_the_page_speaks() -> None:
    """A page that says that it is not there is dead, and a live one is not, whatever befell the probe."""
    dead, live = DEEP, "http://other.example/news/2020/council-votes-on-new-bridge"
    async with serve() as site:
        site.fallback = answer(403)
        site.add(dead, page(MISSING))
        site.add(live, page(html("The Other", f"<h1>Bridges</h1><p>{STORY}")))
        findings = await check_all(site, {dead: Kind.WEB, live: Kind.WEB}, DOUBTING)

    assert findings[dead].verdict == "soft-404"
    assert findings[live].verdict == "ok"
    assert "403" in (findings[live].evidence.uninspected or "")


async def test_the_evidence_is_kept() -> None:
    """A finding says which signs it rests on, and what the site said to the probe."""
    async with serve() as site:
        site.fallback = page(MISSING)
        finding = await seen(site)

    score = finding.evidence.soft_404
    assert score is not None
    assert score.points == sum(score.signs.values()) >= 60
    assert score.signs["the title says so"] == 35
    assert score.probe is not None
    assert score.probe.status == 200
    assert score.probe.url.startswith(folder_of(DEEP))
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


async def test_every_site_of_a_large_run_is_looked_at() -> None:
    """Each of many sites of which one page is asked is probed, and each dead page is found."""
    urls = [f"http://h{n}.example/news/council-votes-on-new-bridge" for n in range(300)]
    async with serve() as site:
        site.fallback = page(MISSING)
        findings = await check_all(site, dict.fromkeys(urls, Kind.WEB), DOUBTING)
        probes = {one.url for one in site.log} - set(urls)

    assert {finding.verdict for finding in findings.values()} == {"soft-404"}
    assert len(probes) == 300


async def test_later_visits_need_no_probe() -> None:
    """Four weekly visits of single pages cost little more than a request each, first one included."""
    urls = [f"http://h{n}.example/news/council-votes-on-new-bridge" for n in range(10)]
    keep = config(checks={"not_found": True, "parked": True}, network=PATIENT)
    probes: dict[str, Probe] = {}
    requests = 0
    for _ in range(4):
        async with serve() as site:
            for n, url in enumerate(urls):
                site.add(url, page(LIVE if n % 2 else html("The Site", f"<h1>Bridges</h1><p>{STORY}")))
            findings = await check_all(
                site, dict.fromkeys(urls, Kind.WEB), keep, probes=list(probes.values())
            )
            requests += len(site.log)
        probes |= {probe.folder: probe for finding in findings.values() for probe in finding.probes}

    assert requests <= 1.15 * 4 * len(urls)


LONG_STYLE = f"<style>{'.x{color:red}' * 60_000}</style>"
SHARED = f"<ul>{'<li>One story among the many of this week' * 2000}</ul>"
SITES: dict[str, tuple[str, str, str, str]] = {
    # The URL, what any path gets, what the page is, and the verdict.
    "one word, gone": ("/pricing", MISSING, MISSING, "soft-404"),
    "one word in a language, gone": ("/de/museum", MISSING, MISSING, "soft-404"),
    "one word, live": ("/pricing", MISSING, LIVE, "ok"),
    "one word, a section like all others": ("/pricing", FRONT, FRONT, "ok"),
    "a page that scripts draw, of the front page": (
        "/a/b-c-d",
        f'{SHELL}<link rel="canonical" href="{H}/">',
        f'{SHELL}<link rel="canonical" href="{H}/">',
        "ok",
    ),
    "a frame around what scripts draw": (
        "/a/b-c-d",
        html("The Site", f"<p>{STORY}</p><div id=root></div>", "<link rel=canonical href=/>"),
        html("The Site", f"<p>{STORY}</p><div id=root></div>", "<link rel=canonical href=/>"),
        "ok",
    ),
    "not shown in this country": (
        "/a/b-c-d",
        html("The Site", "<h1>Sorry</h1><p>This content is not available in your region."),
        html("The Site", "<h1>Sorry</h1><p>This content is not available in your region."),
        "ok",
    ),
    "a site that is being worked on": (
        "/a/b-c-d",
        html(
            "The Site", "<h1>We will be back soon</h1><p>Scheduled maintenance: nothing found here till four."
        ),
        html(
            "The Site", "<h1>We will be back soon</h1><p>Scheduled maintenance: nothing found here till four."
        ),
        "ok",
    ),
    "a large frame around what scripts draw": (
        "/a/b-c-d",
        html("The Site", f"<p>{STORY} {STORY} {STORY}</p><app-root>Loading...</app-root>"),
        html("The Site", f"<p>{STORY} {STORY} {STORY}</p><app-root>Loading...</app-root>"),
        "ok",
    ),
    "an error page of a framework, drawn by the server": (
        "/a/b-c-d",
        html("The Site", f"<div id=root><p>{STORY}</p><p>This is an error of the town hall.</div>"),
        html("The Site", f"<div id=root><p>{STORY}</p><p>This is an error of the town hall.</div>"),
        "soft-404",
    ),
    "beginnings that are alike": (
        "/a/b-c-d",
        html("The Site", SHARED + "<h1>Nothing</h1>"),
        html("The Site", SHARED + "<h1>Nothing</h1>" + "".join(f"<p>{STORY} {n * 'x'}" for n in range(999))),
        "ok",
    ),
    "a message behind styles": (
        "/a/b-c-d",
        html("The Site", "<h1>NOT FOUND</h1>", LONG_STYLE),
        html("The Site", "<h1>NOT FOUND</h1>", LONG_STYLE),
        "soft-404",
    ),
    "a title of its own": (
        "/a/17/x-y-z",
        html("The Site", f"<h1>Today</h1><p>{STORY}"),
        html("Bridges of our county", f"<h1>Today</h1><p>{STORY}"),
        "ok",
    ),
    "a query that names other things": (
        "/a/b?utm_source=newsletter&utm_campaign=autumn&utm_content=button",
        html("The Site", f"<h1>Today</h1><p>{STORY}"),
        html("Bridges", f"<h1>Roads</h1><p>{STORY} " + "word of mouth " * 3),
        "ok",
    ),
}


@pytest.mark.parametrize("name", SITES)
async def test_pages_beside_what_any_path_gets(name: str) -> None:
    """A page is gone where it looks like what any path gets, and what it looks like is evidence."""
    path, anything, text, verdict = SITES[name]
    async with serve() as site:
        site.fallback = page(anything)
        site.add(f"{H}{path}", page(text))
        finding = await seen(site, f"{H}{path}")

    assert finding.verdict == verdict, finding.evidence


FRONT_WITH_LOGIN = FRONT.replace("</nav>", "</nav><form><input name=u><input type=password></form>")
FRONTS = {
    "a login in its head, an article": (DEEP, FRONT_WITH_LOGIN, "soft-404"),
    "a login in its head, one word": (f"{H}/pricing", FRONT_WITH_LOGIN, "soft-404"),
    "nothing but a login": (DEEP, LOGIN, "redirected"),
}


@pytest.mark.parametrize("name", FRONTS)
async def test_any_path_is_led_to_the_front_page(name: str) -> None:
    """A form on the front page bars no other page; a site that is behind a login shows none of its pages."""
    url, front, verdict = FRONTS[name]

    async def lead(wire: Wire) -> None:
        await (page(front) if wire.asked.url == f"{H}/" else redirect(302, "/"))(wire)

    async with serve() as site:
        site.fallback = lead
        finding = await seen(site, url)

    assert finding.verdict == verdict, finding.evidence


HOSTILE = [
    '<link rel=canonical href="http://[">',
    '<link rel=canonical href="//a]b/">',
    '<link rel=canonical href="http://\u2100.example/">',
    '<base href="http://["><link rel=canonical href="/x"><link rel=amphtml href="http://[::1">',
    '<base href="http://a:99999999999/"><link rel=canonical href="http://4294967296999/">',
    f'<link rel=canonical href="http://a:{"9" * 5000}/">',
    f'<link rel=canonical href="http://{"1" * 5000}/"><script src="http://["></script>',
    f'<meta charset="{"9" * 900}">',
    "<title>&#xD800;&#99999999999;&#0;</title>",
    "<script type=application/ld+json>{{{[[[</script><meta name property content><input type><form action>",
]


@pytest.mark.parametrize("mark", HOSTILE)
async def test_nothing_on_a_page_fails_a_visit(mark: str) -> None:
    """URLs that are none, numbers without end and broken elements are read past."""
    async with serve() as site:
        site.fallback = page(html("The Site", f"<p>{STORY}", mark))
        finding = await seen(site, f"{H}/a/b-c-d")

    assert finding.verdict in {"ok", "soft-404"}


HOSTILE_TYPES = [
    f"text/html; charset={'9' * 5000}",
    f"text/html; charset*{'9' * 5000}=x",
    f"text/html; charset*0*=utf-8''x; charset*{'1' * 5000}*=y",
    f"text/html; charset=iso8859-{'1' * 5000}",
    "text/html; charset*1=%; charset=%00",
    "text/html" + ";" * 5000,
]


@pytest.mark.parametrize("kind", HOSTILE_TYPES)
async def test_no_content_type_fails_a_visit(kind: str) -> None:
    """A charset that is none is passed over."""
    async with serve() as site:
        site.fallback = page(html("The Site", f"<p>{STORY}"), Content_Type=kind)
        finding = await seen(site, f"{H}/a/b-c-d")

    assert finding.verdict in {"ok", "soft-404"}


async def test_a_site_that_answers_each_path_in_another_way() -> None:
    """Pages of a site whose page for unknown paths is never the same are not condemned."""
    count = 0

    async def step(wire: Wire) -> None:
        nonlocal count
        count += 1
        await page(
            html(f"{count}", "".join(f"<p>w{count}x{n} {'abcdefgh'[n % 8] * count}" for n in range(90)))
        )(wire)

    async with serve() as site:
        site.fallback = step
        finding = await seen(site, f"{H}/a/b-c-d")

    assert finding.verdict == "ok"


async def test_a_site_that_lies_to_the_probe_alone() -> None:
    """A 404 is a 404, also on a site that answers 200 to a path that cannot exist."""
    urls = [f"{H}/news/{n}/mayor-opens-old-school" for n in range(5)]
    async with serve() as site:
        site.fallback = page(MISSING)
        for url in urls:
            site.add(url, answer(404))
        findings = await check_all(site, dict.fromkeys((DEEP, *urls), Kind.WEB), DOUBTING)

    assert findings.pop(DEEP).verdict == "soft-404"
    assert {finding.verdict for finding in findings.values()} == {"not-found"}


async def test_probes_that_are_led_to_another_domain() -> None:
    """Where unknown paths lead to another domain, a live page is one still."""

    async def lead(wire: Wire) -> None:
        other = wire.asked.url.startswith("http://other.example")
        await (page(FRONT) if other else redirect(302, "http://other.example/welcome"))(wire)

    async with serve() as site:
        site.fallback = lead
        site.add(f"{H}/a/b-c-d", page(html("The Site", f"<h1>Bridges</h1><p>{STORY}")))
        finding = await seen(site, f"{H}/a/b-c-d")

    assert finding.verdict == "ok"


async def test_a_probe_that_is_answered_without_end() -> None:
    """No more of a page is read than is compared, however much is sent."""
    text = html("The Site", "<h1>Bridges</h1>")
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 10000000000\r\n\r\n"
    async with serve() as site:
        site.fallback = endless(head, b"<p>One story among many" * 500)
        site.add(f"{H}/a/b-c-d", page(text))
        async with asyncio.timeout(60):
            finding = await seen(site, f"{H}/a/b-c-d")

    assert finding.verdict == "ok"


async def test_a_wall_after_the_tenth_probe() -> None:
    """A site that turns robots away in the middle of a run condemns none of its pages."""
    count = 0

    async def step(wire: Wire) -> None:
        nonlocal count
        count += 1
        wall = answer(403, b"<title>Just a moment...</title>", Content_Type="text/html")
        await (page(MISSING) if count <= 10 else wall)(wire)

    urls = [f"{H}/{n}/council-votes-on-new-bridge" for n in range(20)]
    async with serve() as site:
        site.fallback = step
        for url in urls:
            site.add(url, page(html("The Site", f"<h1>Bridges</h1><p>{STORY} {url[20] * 9}")))
        findings = await check_all(site, dict.fromkeys(urls, Kind.WEB), DOUBTING)

    assert {finding.verdict for finding in findings.values()} == {"ok"}


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


async def test_the_program_tells_what_was_not_looked_at(tmp_path: Path) -> None:
    """Where a site turns the probe away, explain says so, with its answer."""
    async with serve() as site:
        site.fallback = answer(403)
        site.add(DEEP, page(html("The Site", f"<h1>Bridges</h1><p>{STORY}")))
        records(tmp_path, DEEP)
        await run(tmp_path, "audit", "--connect-to", site.detour)
    story = await run(tmp_path, "explain", DEEP)

    assert "Not looked at: what its site answers for a page that cannot exist" in story.out
    assert "it answered with 403" in story.out


@pytest.mark.parametrize("path", SHAPES)
def test_siblings(path: str) -> None:
    """A sibling lies in the same folder, with the same suffix, and is another one each time."""
    url = f"https://site.example{path}"
    made = {random_sibling(url) for _ in range(20)}
    bare = path.partition("?")[0].rstrip("/")

    assert len(made) == 20
    assert all(one.startswith(f"https://site.example{bare.rpartition('/')[0]}/") for one in made)
    assert all(one.endswith(".html") == path.endswith(".html") for one in made)
    assert all("?" not in one and one != url for one in made)
