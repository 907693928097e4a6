"""Whether a domain is parked, for sale, or was registered anew for its old links: evidence that adds up.

No sign alone is enough but one: a redirect from the domain to a host that does nothing but park.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final

from crawler.checks.words import find_phrase, fold, words
from crawler.content import url_shape
from crawler.content.fingerprint import same_title, word_likeness
from crawler.content.interstitials import interstitial
from crawler.content.observation import ObservedPage, ProbeResult
from crawler.content.sale_offers import PARKING_DATA, sale_offer, written_offer
from crawler.content.soft404 import OPENING_CHARACTERS, SAME_LIKENESS, is_article, is_stranger
from crawler.urls import host_of, registrable
from storage.frozen import frozen

MIN_PARKED_POINTS: Final = 60

PARKING_HOSTS: Final = frozenset(host for entry in PARKING_DATA["parking"] for host in entry["hosts"])
PARKING_MARKS: Final = tuple(
    mark.encode().lower() for entry in PARKING_DATA["parking"] for mark in entry["marks"]
)
PARKING_NETWORKS: Final = tuple(
    ip_network(net) for entry in PARKING_DATA["parking"] for net in entry.get("networks", ())
)
PARKING_NAME_SERVERS: Final = tuple(
    name for entry in PARKING_DATA["parking"] for name in entry.get("name_servers", ())
)
STAND_IN_PHRASES: Final = tuple(map(fold, PARKING_DATA["stand_in"]["phrases"]))
SPAM_WORDS: Final = frozenset(PARKING_DATA["spam"]["words"])
MAX_STAND_IN_WORDS: Final = 120  # words of a page that says that its site is still to come
MAX_SALE_PAGE_WORDS: Final = 250  # words of a page that has nothing to say but "for sale"
MIN_SPAM_WORDS: Final = 5  # words of spam that are no accident

Signs = Iterator[tuple[str, int]]


@frozen
class PageSource:
    """Where a page came from: its bytes, the address that sent them, and its domain's name servers."""

    body: bytes = b""
    address: str | None = None
    servers: tuple[str, ...] = ()


def parked_signs(observation: ObservedPage, source: PageSource, probe: ProbeResult | None) -> dict[str, int]:
    """The signs for and against a parked domain, with their points."""
    if registrable(host_of(observation.url)) in PARKING_HOSTS:
        return {}
    signs = {
        **dict(_host_signs(observation)),
        **dict(_page_signs(observation, source)),
        **dict(_spam_signs(observation, probe)),
        **dict(_stand_in_signs(observation, probe)),
    }
    if not signs:
        return {}
    weak = {**dict(_origin_signs(observation, source)), **dict(_probe_signs(observation, probe))}
    return {**signs, **weak, **dict(_counter_signs(observation))}


def leads_away(observation: ObservedPage) -> bool:
    """Whether a domain redirects to a host that parks domains: no page has to be read to see that."""
    return registrable(host_of(observation.url)) not in PARKING_HOSTS and bool(dict(_host_signs(observation)))


def _host_signs(observation: ObservedPage) -> Signs:
    parking_host = next(
        (registrable(host_of(url)) for url in observation.hops if registrable(host_of(url)) in PARKING_HOSTS),
        None,
    )
    if parking_host is not None:
        yield f"led to {parking_host}, which parks domains", 60


def _page_signs(observation: ObservedPage, source: PageSource) -> Signs:
    page = observation.page
    if page is None:
        return
    mark = find_phrase(source.body.lower().decode("latin-1"), _marks())
    if mark is not None:
        yield f"its source has {mark}", 40
    title, text = fold(page.title), fold(page.text[:OPENING_CHARACTERS])
    if sale_offer(title) is not None:
        yield "its title offers the domain", 35
    phrase = sale_offer(text)
    if phrase is not None and len(words(page.text)) <= MAX_SALE_PAGE_WORDS:
        yield f"its few words say: {phrase}", 35
    elif written := written_offer(page, source.body):
        yield f"its script writes: {written}", 35


def _stand_in_signs(observation: ObservedPage, probe: ProbeResult | None) -> Signs:
    """What is shown in place of a site that is still to come: a sign only where any path gets it."""
    page = observation.page
    if page is None or not url_shape.segments(observation.url) or not _any_path_alike(observation, probe):
        return
    lines = fold(" ".join((page.title, *page.headings)))
    phrase = find_phrase(lines, STAND_IN_PHRASES)
    if phrase is not None and len(words(page.text)) <= MAX_STAND_IN_WORDS:
        yield f"it stands in for a site: {phrase}", 35


@lru_cache(maxsize=1)
def _marks() -> tuple[str, ...]:
    return tuple(mark.decode() for mark in PARKING_MARKS)


def _spam_signs(observation: ObservedPage, probe: ProbeResult | None) -> Signs:
    """The words of trades that buy old domains: evidence only where the site shows them for any path.

    A page that changes with each request is known by its title, if it says nothing of what its URL names, or
    has few words and the probe's heading, too.

    A front page shows nothing else, and whoever has the trade in the name of the host is in that trade.
    """
    page = observation.page
    if page is None or not url_shape.segments(observation.url):
        return
    if not _any_path_alike(observation, probe) and not _has_probe_lines(observation, probe):
        return
    topic = url_shape.topic_words(observation.url)
    if not SPAM_WORDS.isdisjoint(topic) or find_phrase(host_of(observation.url), SPAM_WORDS):
        return
    title = fold(page.title)
    title_spam = _spam_words(title)
    if not title_spam:
        return
    yield f"its title sells {title_spam[0]}", 25
    if len(_spam_words(" ".join((fold(page.text), *map(fold, page.headings))))) >= MIN_SPAM_WORDS:
        yield "its text sells the same", 15
    if is_stranger(observation):
        yield "it says nothing of what the URL names", 20


def _spam_words(text: str) -> list[str]:
    text_words = words(text)
    spam = [word for word in text_words if word in SPAM_WORDS]
    return spam + [word for word in SPAM_WORDS if not word.isascii() and len(word) > 1 and word in text]


def _origin_signs(observation: ObservedPage, source: PageSource) -> Signs:
    host, final_host = host_of(observation.url), host_of(observation.final)
    if source.address is not None and _is_parking(source.address):
        yield "it is served from where parked domains are", 25
    server = next((name for name in source.servers if name.endswith(PARKING_NAME_SERVERS)), None)
    if server is not None:
        yield f"its name server is {server}", 25
    if registrable(host) != registrable(final_host):
        yield "led to another domain", 15
    if observation.page is not None and registrable(host) in fold(observation.page.title):
        yield "its title is the name of the domain", 15


@lru_cache(maxsize=4096)
def _is_parking(address: str) -> bool:
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    return any(ip in net for net in PARKING_NETWORKS)


def _probe_signs(observation: ObservedPage, probe: ProbeResult | None) -> Signs:
    if probe is None or not probe.says_present:
        return
    if _any_path_alike(observation, probe):
        yield "the site answers any path alike", 25
    elif _has_probe_title(observation, probe):
        yield "the same title as a page that cannot exist", 20


def _has_probe_lines(observation: ObservedPage, probe: ProbeResult | None) -> bool:
    page_print = observation.fingerprint
    if page_print is None or not _has_probe_title(observation, probe):
        return False
    heading = probe.fingerprint.heading if probe is not None and probe.fingerprint is not None else ()
    is_short = page_print.words <= MAX_SALE_PAGE_WORDS
    return is_stranger(observation) or (is_short and page_print.heading == heading != ())


def _has_probe_title(observation: ObservedPage, probe: ProbeResult | None) -> bool:
    page_print = observation.fingerprint
    if page_print is None or probe is None or probe.fingerprint is None or not probe.says_present:
        return False
    return same_title(page_print, probe.fingerprint)


def _any_path_alike(observation: ObservedPage, probe: ProbeResult | None) -> bool:
    """Whether the site shows this page, or leads to where it is, for a path that cannot exist, too."""
    if probe is None or not probe.says_present:
        return False
    if probe.was_redirected and observation.was_redirected:
        return url_shape.same_path(probe.final, observation.final)
    page_print = observation.fingerprint
    if page_print is None or probe.fingerprint is None or not observation.whole:
        return False
    return word_likeness(page_print, probe.fingerprint) >= SAME_LIKENESS


def _counter_signs(observation: ObservedPage) -> Signs:
    page = observation.page
    if page is None:
        return
    if is_article(page):
        yield "says that it is an article", -40
    if len(set(words(page.title)) & url_shape.topic_words(observation.url)) > 1:
        yield "its title is what the URL names", -30
    if interstitial(page, observation.hops) is not None:
        yield "a gate before the page", -30
