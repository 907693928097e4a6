"""Signs of a soft 404 and of a parked domain: what each needs, and what weighs against it."""

from __future__ import annotations

import time

import pytest

from crawler.checks.html import parse_html
from crawler.checks.words import fold, words
from crawler.content import parked, soft404, url_shape
from crawler.content.fingerprint import fingerprint
from crawler.content.interstitials import interstitial, is_login
from crawler.content.notices import NOT_FOUND_PHRASES
from crawler.content.observation import ObservedPage, ProbeResult
from crawler.content.parked import PageSource
from crawler.data import table
from crawler.data.shapes import NotFoundWords

pytestmark = pytest.mark.libraries

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
        said = ProbeResult(f"{url}-x", f"{url}-x", probe)
    elif probe is not None:
        said = ProbeResult(
            f"{url}-x", f"{url}-x", 200, fingerprint(parse_html(probe), f"{url}-x"), comparable=True
        )
    return sum(soft404.soft_404_signs(ObservedPage(url, hops, parse_html(text)), said).values())


GONE = html("Page not found", "<h1>Page not found</h1><p>It is gone.")
LIVE = html("Council votes on new bridge", f"<h1>Council votes on new bridge</h1><p>{STORY * 4}")
OTHERS = (
    "Rain is on its way. Two boats are back. A choir looks for tenors, and the mill turns again at last. "
)
FRONT = html("The Herald", f"<h1>Today</h1><p>{OTHERS * 2}")
LOGIN = html("Welcome", "<h1>Log in</h1><form><input><input type=password></form>")


def test_a_message_is_enough_alone() -> None:
    """A title and a heading that both say so need no probe; an honest site weighs against them."""
    assert points(GONE) >= soft404.MIN_SOFT_404_POINTS
    assert points(html("Page not found", f"<p>{STORY}")) < soft404.MIN_SOFT_404_POINTS
    assert (
        points(html("Page not found", "<h1>Page not found</h1>" + STORY * 30), 404)
        < soft404.MIN_SOFT_404_POINTS
    )


def test_the_same_page_at_any_path() -> None:
    """A page like that of a path that cannot exist is gone, unless it has something of its own."""
    assert points(FRONT, FRONT) >= soft404.MIN_SOFT_404_POINTS
    assert points(LIVE, FRONT) < 0
    assert points(html("The Herald", f"<h1>Council votes on new bridge</h1><p>{STORY}"), FRONT) <= 0
    assert (
        points(html("The Herald", f"<h1>Today</h1><p>{OTHERS * 2}{STORY}"), FRONT)
        < soft404.MIN_SOFT_404_POINTS
    )


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
    """Front pages are never soft 404s; a page of one word is, where probe and message agree."""
    for url in ("https://site.example/", "https://site.example/en/index.html"):
        assert points(GONE, GONE, url) == 0
    about = "https://site.example/about"
    assert points(GONE, None, about) == points(GONE, 404, about) == points(FRONT, FRONT, about) == 0
    assert points(GONE, GONE, about) >= soft404.MIN_SOFT_404_POINTS


def test_articles_about_errors() -> None:
    """Who writes about pages that are not found has not lost one."""
    url = "https://site.example/docs/http-status/404-not-found"
    page = html("404 Not Found", f"<h1>404 Not Found</h1><p>{STORY * 4}")
    assert points(page, 404, url) < soft404.MIN_SOFT_404_POINTS
    told = '<meta property="og:type" content="article">'
    assert points(html("Page not found? A story", f"<h1>Page not found? A story</h1>{STORY}", told), 404) < 30


@pytest.mark.parametrize("language", table("not_found", dict[str, NotFoundWords]))
def test_each_language_has_its_words(language: str) -> None:
    """The first phrase of each language tells it in a title and a heading; phrases are folded."""
    phrases = table("not_found", dict[str, NotFoundWords])[language]["phrases"]
    page = html(phrases[0].upper(), f"<h1>{phrases[0]}</h1>")

    assert points(page) >= soft404.MIN_SOFT_404_POINTS
    assert len(table("not_found", dict[str, NotFoundWords])) == 20
    assert all(phrase == fold(phrase) for phrase in NOT_FOUND_PHRASES)


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
    assert (url_shape.is_root(url), url_shape.is_deep(url)) == (root, deep)


def test_what_names_an_article() -> None:
    """Three words or three digits do; a file with a short name may be anything."""
    assert all(
        url_shape.is_slug(f"https://a.example/{name}") for name in ("new-bridge-opens", "a123", "1-2-3.php")
    )
    assert not any(
        url_shape.is_slug(f"https://a.example/{name}") for name in ("about.html", "old", "a-b", "")
    )


def test_where_errors_live() -> None:
    """An error page is known by its URL; a story about errors is none."""
    nowhere = ["/404", "/404.html", "/error", "/errors/404.aspx", "/page-not-found/", "/de/not_found"]
    assert all(url_shape.is_error_page(f"https://a.example{path}") for path in nowhere)
    assert not any(
        url_shape.is_error_page(f"https://a.example{path}") for path in ("/", "/terror", "/news/4041")
    )
    assert url_shape.is_search("https://a.example/search?q=x")
    assert not url_shape.is_search("https://a.example/research/x")
    assert url_shape.is_section("https://a.example/news/", DEEP)
    assert not url_shape.is_section("https://a.example/sport/", DEEP)


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
    assert interstitial(parse_html(text), hops) is not None


LINKS = "".join(f"<a href=/{name}>{name}</a> " for name in CHROME.split())
FRAMES = {
    "a password in its head": "<form><input><input type=password></form>",
    "a link to what it knows of its readers": "<a href=/c>Manage cookies</a> about cookies of partners",
    "a link to its subscriptions": "<a href=/m>Become a member</a>",
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_site_around_a_form_is_no_gate(name: str) -> None:
    """A page that shows the menu of its site bars nothing by what stands beside it."""
    text = html("The Herald", f"{LINKS}{FRAMES[name]}<p>{OTHERS}")
    assert interstitial(parse_html(text), ()) is None
    assert points(text, text) >= soft404.MIN_SOFT_404_POINTS
    barred = html("Log in", f"{LINKS}<h1>Log in</h1><form><input><input type=password></form>")
    assert points(barred, barred) < 0


def test_a_login_in_letters_without_spaces() -> None:
    """Forty letters are not forty words where no space parts them."""
    line = "会员请输入您的密码" * 6
    assert is_login(parse_html(f"<title>x</title><p>{line}<form><input><input type=password></form>"))


def test_numbers_that_are_no_status() -> None:
    """A newspaper or a car whose name has the number says nothing of its pages."""
    url = "https://www.404times.example/news/council-votes-on-new-bridge"
    page = html("Council | 404 Times", f"<h1>Council</h1><p>{STORY}")
    assert points(page, None, url) == 0
    shell = "<title>Peugeot 404 Club</title><div id=root></div><script src=/app.js></script>"
    assert points(shell, shell) == 0
    for title in ("404", "Error 404 | Club", "Oops! 404 - Club"):
        gone = shell.replace("Peugeot 404 Club", title)
        assert points(gone, gone) >= soft404.MIN_SOFT_404_POINTS, title


def test_a_page_that_a_query_names() -> None:
    """Where the script of the front page shows all pages, a page with the probe's message is gone."""
    url = "https://site.example/index.php?main_page=contact"
    assert points(GONE, GONE, url) >= soft404.MIN_SOFT_404_POINTS
    assert points(FRONT, FRONT, url) == points(GONE, GONE, "https://site.example/?lang=de") == 0


def test_a_name_of_two_long_words() -> None:
    """Two words of eight letters name an article as three do; sections have shorter ones."""
    assert url_shape.is_slug("https://a.example/betriebliche-altersvorsorge")
    assert not any(
        url_shape.is_slug(f"https://a.example/{name}") for name in ("contact-us", "terms-conditions")
    )


def test_what_is_no_gate() -> None:
    """A long page with a form in its head, and a story whose name has such a word, are none."""
    assert interstitial(parse_html(LOGIN + STORY * 40), ()) is None
    assert interstitial(parse_html(LIVE), ("https://site.example/catalogin/authors",)) is None


def sold(text: str, url: str = DEEP, *hops: str, like: str | None = None, address: str | None = None) -> int:
    """The points of a page as a parked domain."""
    said = None
    if like is not None:
        said = ProbeResult(
            f"{url}-x", f"{url}-x", 200, fingerprint(parse_html(like), f"{url}-x"), comparable=True
        )
    source = PageSource(text.encode(), address)
    return sum(parked.parked_signs(ObservedPage(url, hops, parse_html(text)), source, said).values())


OFFER = html("site.example", "<h1>site.example</h1><p>This domain is for sale.")
CASINO = html("Casino bonus", "<h1>Casino</h1>casino poker slots roulette jackpot casino betting")


def test_parking_hosts() -> None:
    """A redirect to a host that parks is enough; a link to such a host's own page is no such redirect."""
    assert sold("", DEEP, "https://www.hugedomains.com/domain_profile.cfm?d=site") >= parked.MIN_PARKED_POINTS
    assert parked.leads_away(ObservedPage(DEEP, ("https://dan.com/buy-domain/site",)))
    assert sold(OFFER, "https://sedo.com/search/details/site-example") == 0


def test_no_weak_sign_is_enough() -> None:
    """An offer, an address or a mark alone is not enough; together they are."""
    mark = "<script src=https://www.google.com/adsense/domains/caf.js></script>"
    assert 0 < sold(OFFER) < parked.MIN_PARKED_POINTS
    assert 0 < sold(html("Site", mark)) < parked.MIN_PARKED_POINTS
    assert sold(LIVE, address="199.59.243.225") == 0
    assert sold(OFFER, like=OFFER) >= parked.MIN_PARKED_POINTS
    assert sold(html("Site", f"<p>This domain is for sale.{mark}")) >= parked.MIN_PARKED_POINTS
    assert sold(html("Site", mark), address="199.59.243.225") >= parked.MIN_PARKED_POINTS
    seen = ObservedPage(DEEP, (), parse_html(OFFER))
    served = sum(parked.parked_signs(seen, PageSource(servers=("ns1.sedoparking.com",)), None).values())
    assert (
        served == sum(parked.parked_signs(seen, PageSource(servers=("ns1.example.com",)), None).values()) + 25
    )


def test_domains_registered_anew() -> None:
    """One advertisement at any path; a story about a casino, under its own name, is none."""
    assert sold(CASINO, like=CASINO) >= parked.MIN_PARKED_POINTS
    assert sold(CASINO) < parked.MIN_PARKED_POINTS + 1
    assert sold(CASINO, "https://site.example/news/new-casino-opens-in-town") == 0
    assert sold(html("Casino votes on new bridge council", STORY * 9), like=FRONT) <= 0


TRADES = {
    "a pharmacy": (
        "https://www.hillside.example/stores/locator/",
        html("Pharmacy near you", STORY + "pharmacy " * 9),
    ),
    "a shop": (
        "https://www.hillside.example/visit/hours",
        html("Outlet shops", STORY + "outlet handbags " * 5),
    ),
    "a magazine": ("https://magazine.example/issue/12", html("Poems and essay", STORY + "essay " * 9)),
    "loans": (
        "https://aid.example/student/apply-for-help-today",
        html("Student loans", STORY + "loans " * 9),
    ),
    "a front page": ("https://hotel.example/", html("Casino and rooms", STORY + "casino slots poker " * 5)),
    "a host of that name": (
        "https://casinoroyal.example/rooms/suite",
        html("Casino", STORY + "casino slots " * 5),
    ),
}


@pytest.mark.parametrize("name", TRADES)
def test_trades_are_no_parking(name: str) -> None:
    """Who is in a trade whose words are sold on old domains is not parked, whatever other paths get."""
    url, text = TRADES[name]
    alike = name in {"a front page", "a host of that name"}
    assert sold(text, url, like=text if alike else FRONT) < parked.MIN_PARKED_POINTS
    assert sold(text, url) < parked.MIN_PARKED_POINTS


OFFERS = [
    "Domain is parked",
    "plainname.example ist noch frei",
    "Parking del dominio",
    "Deze domeinnaam is te koop",
    "Domena jest na sprzedaż",
    "plainname.example är till salu",
    "plainname.example er til salg",
    "Verkkotunnus on myytävänä",
    "Doména je na prodej",
    "Eladó domain",
    "Domeniu de vânzare",
    "Домен продається",
    "도메인 판매 중",
    "PlainName.example - for sale",
    "域名停靠",
]


@pytest.mark.parametrize("line", OFFERS)
def test_offers_in_many_languages(line: str) -> None:
    """A page of few words that offers its domain for any path is parked."""
    text = f"<html><head><title>{line}</title></head><body><h1>{line}</h1><p>plainname</body></html>"
    assert sold(text, like=text) >= parked.MIN_PARKED_POINTS


def test_what_stands_in_for_a_site() -> None:
    """A site still to come is parked where any path gets it; a page that says so of itself is a page."""
    text = html("Coming soon", "<h1>Under construction</h1>")
    assert sold(text, like=text) >= parked.MIN_PARKED_POINTS
    assert sold(text) == sold(text, like=FRONT) == sold(text, "https://site.example/", like=text) == 0


def test_an_offer_that_a_script_writes() -> None:
    """A page without words may have its script write the offer; a page of an application has more of them."""
    script = "<script>document.body.innerHTML = document.domain + ' - this domain is for sale!'</script>"
    text = f"<title>Express</title><h1 id=t></h1>{script}"
    assert sold(text, like=text) >= parked.MIN_PARKED_POINTS
    assert sold(f"<script src=/app.js></script>{text}", like=text) == 0
    assert sold(f"<meta name=description content='Names'>{text}", like=text) == 0


def test_korean_messages() -> None:
    """A page that says in Korean that it is not there is known."""
    text = html("페이지를 찾을 수 없습니다", "<h1>페이지를 찾을 수 없습니다</h1>")
    assert points(text) >= soft404.MIN_SOFT_404_POINTS


def test_what_a_page_is_called_by_its_url() -> None:
    """A page names itself where its title or heading has the words of the path, and not those of a query."""
    page = parse_html(LIVE)
    assert soft404.names_itself(ObservedPage(DEEP, (), page))
    assert not soft404.names_itself(ObservedPage("https://site.example/x?t=council-votes-bridge", (), page))
    assert not soft404.names_itself(ObservedPage(DEEP, ("https://site.example/new",), page))
    assert not soft404.names_itself(ObservedPage(DEEP, (), parse_html(GONE)))


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
