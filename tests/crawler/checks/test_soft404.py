"""Signs of a soft 404 and of a parked domain: what each needs, and what weighs against it."""

from __future__ import annotations

import time

import pytest

from crawler.checks import parked, places, soft404
from crawler.checks.fingerprint import fingerprint, fold, words
from crawler.checks.gates import gate
from crawler.checks.html import parse
from crawler.checks.parked import Source
from crawler.checks.soft404 import PHRASES, Probed, Seen
from crawler.data import table

DEEP = "https://site.example/news/2020/council-votes-on-new-bridge"
CHROME = "Home World Politics Sport Culture Weather Contact Imprint About Newsletter Jobs Archive " * 4
STORY = "The council met in the hall by the harbour and spoke of the new bridge until the lamps went out. "


def html(title: str, body: str, head: str = "") -> str:
    """A page."""
    return f"<html><head><title>{title}</title>{head}</head><body><nav>{CHROME}</nav>{body}</body></html>"


def points(text: str, probe: str | int | None = None, url: str = DEEP, *hops: str) -> int:
    """The points of a page, beside a probe that got a page or a status."""
    said = None
    if isinstance(probe, int):
        said = Probed(f"{url}-x", f"{url}-x", probe)
    elif probe is not None:
        said = Probed(f"{url}-x", f"{url}-x", 200, fingerprint(parse(probe), f"{url}-x"), telling=True)
    return sum(soft404.weigh(Seen(url, hops, parse(text)), said).values())


GONE = html("Page not found", "<h1>Page not found</h1><p>It is gone.")
LIVE = html("Council votes on new bridge", f"<h1>Council votes on new bridge</h1><p>{STORY * 4}")
OTHERS = (
    "Rain is on its way. Two boats are back. A choir looks for tenors, and the mill turns again at last. "
)
FRONT = html("The Herald", f"<h1>Today</h1><p>{OTHERS * 2}")
LOGIN = html("Welcome", "<h1>Log in</h1><form><input><input type=password></form>")


def test_a_message_is_enough_alone() -> None:
    """A title and a heading that both say so need no probe; an honest site weighs against them."""
    assert points(GONE) >= soft404.THRESHOLD
    assert points(html("Page not found", f"<p>{STORY}")) < soft404.THRESHOLD
    assert points(html("Page not found", "<h1>Page not found</h1>" + STORY * 30), 404) < soft404.THRESHOLD


def test_the_same_page_at_any_path() -> None:
    """A page like that of a path that cannot exist is gone, unless it has something of its own."""
    assert points(FRONT, FRONT) >= soft404.THRESHOLD
    assert points(LIVE, FRONT) < 0
    assert points(html("The Herald", f"<h1>Council votes on new bridge</h1><p>{STORY}"), FRONT) <= 0
    assert points(html("The Herald", f"<h1>Today</h1><p>{OTHERS * 2}{STORY}"), FRONT) < soft404.THRESHOLD


def test_a_page_with_next_to_nothing_on_it() -> None:
    """What scripts draw is alike everywhere, and says nothing."""
    shell = "<title>App</title><div id=root>Loading</div>"
    assert points(shell, shell) == 0


@pytest.mark.parametrize("probe", [LOGIN, None])
def test_a_login_is_no_death(probe: str | None) -> None:
    """A gate weighs more than that it looks the same everywhere."""
    assert points(LOGIN, probe) < 0
    assert points(LOGIN, probe, DEEP, "https://site.example/") < 0


def test_what_is_no_article() -> None:
    """Front pages and sections are never soft 404s, whatever they say."""
    for url in ("https://site.example/", "https://site.example/en/index.html", "https://site.example/about"):
        assert points(GONE, GONE, url) == 0


def test_articles_about_errors() -> None:
    """Who writes about pages that are not found has not lost one."""
    url = "https://site.example/docs/http-status/404-not-found"
    page = html("404 Not Found", f"<h1>404 Not Found</h1><p>{STORY * 4}")
    assert points(page, 404, url) < soft404.THRESHOLD
    told = '<meta property="og:type" content="article">'
    assert points(html("Page not found? A story", f"<h1>Page not found? A story</h1>{STORY}", told), 404) < 30


@pytest.mark.parametrize("language", table("not_found"))
def test_each_language_has_its_words(language: str) -> None:
    """The first phrase of each language tells it in a title and a heading; phrases are folded."""
    phrases = table("not_found")[language]["phrases"]
    page = html(phrases[0].upper(), f"<h1>{phrases[0]}</h1>")

    assert points(page) >= soft404.THRESHOLD
    assert len(table("not_found")) == 12
    assert all(phrase == fold(phrase) for phrase in PHRASES)


PLACES = [
    ("https://a.example/", True, False),
    ("https://a.example/index.php", True, False),
    ("https://a.example/en-us/", True, False),
    ("https://a.example/?p=12", False, True),
    ("https://a.example/news/", False, False),
    ("https://a.example/news/story", False, True),
    ("https://a.example/council-votes-on-bridge", False, True),
    ("https://a.example/a123456", False, True),
    ("https://a.example/story.html", False, True),
    ("https://a.example/show?id=7", False, True),
]


@pytest.mark.parametrize(("url", "root", "deep"), PLACES)
def test_places(url: str, *, root: bool, deep: bool) -> None:
    """A URL is a front page, a section, or something below."""
    assert (places.is_root(url), places.is_deep(url)) == (root, deep)


def test_what_names_an_article() -> None:
    """Three words or three digits do; a file with a short name may be anything."""
    assert all(
        places.is_slug(f"https://a.example/{name}") for name in ("new-bridge-opens", "a123", "1-2-3.php")
    )
    assert not any(places.is_slug(f"https://a.example/{name}") for name in ("about.html", "old", "a-b", ""))


def test_where_errors_live() -> None:
    """An error page is known by its URL; a story about errors is none."""
    nowhere = ["/404", "/404.html", "/error", "/errors/404.aspx", "/page-not-found/", "/de/not_found"]
    assert all(places.is_nowhere(f"https://a.example{path}") for path in nowhere)
    assert not any(places.is_nowhere(f"https://a.example{path}") for path in ("/", "/terror", "/news/4041"))
    assert places.is_search("https://a.example/search?q=x")
    assert not places.is_search("https://a.example/research/x")
    assert places.is_section("https://a.example/news/", DEEP)
    assert not places.is_section("https://a.example/sport/", DEEP)


GATES = {
    "a password": (LOGIN, ()),
    "consent": (html("Herald", "<p>We and our partners use cookies. Accept all."), ()),
    "a paywall": (html("Story", "<p>Subscribe to continue reading."), ()),
    "not free": (
        html("S", "", '<script type="application/ld+json">{"isAccessibleForFree": false}</script>'),
        (),
    ),
    "a wall": (html("S", "<script src=https://x.captcha-delivery.com/c.js></script>"), ()),
    "a chain through a login": (FRONT, ("https://site.example/login?next=/", "https://site.example/")),
    "a chain through a host": (FRONT, ("https://consent.site.example/x", "https://site.example/")),
}


@pytest.mark.parametrize("name", GATES)
def test_gates(name: str) -> None:
    """Each gate is known by its own mark."""
    text, hops = GATES[name]
    assert gate(parse(text), hops) is not None


def test_what_is_no_gate() -> None:
    """A long page with a form in its head, and a story whose name has such a word, are none."""
    assert gate(parse(LOGIN + STORY * 40), ()) is None
    assert gate(parse(LIVE), ("https://site.example/catalogin/authors",)) is None


def sold(text: str, url: str = DEEP, *hops: str, like: str | None = None, address: str | None = None) -> int:
    """The points of a page as a parked domain."""
    said = None
    if like is not None:
        said = Probed(f"{url}-x", f"{url}-x", 200, fingerprint(parse(like), f"{url}-x"), telling=True)
    source = Source(text.encode(), address)
    return sum(parked.weigh(Seen(url, hops, parse(text)), source, said).values())


OFFER = html("site.example", "<h1>site.example</h1><p>This domain is for sale.")
CASINO = html("Casino bonus", "<h1>Casino</h1>casino poker slots roulette jackpot casino betting")


def test_parking_hosts() -> None:
    """A redirect to a host that parks is enough; a link to such a host's own page is no such redirect."""
    assert sold("", DEEP, "https://www.hugedomains.com/domain_profile.cfm?d=site") >= parked.THRESHOLD
    assert parked.leads_away(Seen(DEEP, ("https://dan.com/buy-domain/site",)))
    assert sold(OFFER, "https://sedo.com/search/details/site-example") == 0


def test_no_weak_sign_is_enough() -> None:
    """An offer, an address or a mark alone is not enough; together they are."""
    mark = "<script src=https://www.google.com/adsense/domains/caf.js></script>"
    assert 0 < sold(OFFER) < parked.THRESHOLD
    assert 0 < sold(html("Site", mark)) < parked.THRESHOLD
    assert sold(LIVE, address="199.59.243.225") == 0
    assert sold(OFFER, like=OFFER) >= parked.THRESHOLD
    assert sold(html("Site", f"<p>This domain is for sale.{mark}")) >= parked.THRESHOLD
    assert sold(html("Site", mark), address="199.59.243.225") >= parked.THRESHOLD
    seen = Seen(DEEP, (), parse(OFFER))
    served = sum(parked.weigh(seen, Source(servers=("ns1.sedoparking.com",)), None).values())
    assert served == sum(parked.weigh(seen, Source(servers=("ns1.example.com",)), None).values()) + 25


def test_domains_registered_anew() -> None:
    """One advertisement at any path; a story about a casino, under its own name, is none."""
    assert sold(CASINO, like=CASINO) >= parked.THRESHOLD
    assert sold(CASINO) < parked.THRESHOLD + 1
    assert sold(CASINO, "https://site.example/news/new-casino-opens-in-town") == 0
    assert sold(html("Casino votes on new bridge council", STORY * 9), like=FRONT) < 0


def test_a_story_about_a_sale() -> None:
    """Who writes about a domain that is for sale is not for sale."""
    line = "This domain is for sale: how names became dear"
    head = '<meta property="og:type" content="article">'
    url = "https://site.example/tech/domain-sale-names-became-dear"
    assert sold(html(line, f"<h1>{line}</h1>{STORY * 3}", head), url, like=FRONT) < 30


def test_words_of_scripts_without_spaces() -> None:
    """Where no space parts words, each letter counts."""
    assert words("議会 Bridge 12 橋") == ("議", "会", "bridge", "橋")


def test_weighing_is_quick_on_hostile_pages() -> None:
    """A page as large as is read, of any shape, is weighed in no time."""
    for text in ("a b " * 16_000, "<p>not found" * 5000, "x" * 65_000, "<h1>" * 16_000, "404 " * 16_000):
        started = time.process_time()
        points(text, text)
        sold(text, like=text)
        assert time.process_time() - started < 2
