"""Whether a domain is parked, for sale, or was registered anew for its old links: evidence that adds up.

No sign alone is enough but one: a redirect from the domain to a host that does nothing but park.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final

from crawler.checks import places
from crawler.checks.fingerprint import fold, same_title, same_words, says, words
from crawler.checks.gates import gate
from crawler.checks.soft404 import SAME, Probed, Seen, is_article, is_stranger, print_of
from crawler.data import table
from crawler.urls import host_of, registrable

THRESHOLD: Final = 60
DATA: Final = table("parked")
HOSTS: Final = frozenset(host for entry in DATA["parking"] for host in entry["hosts"])
MARKS: Final = tuple(mark.encode().lower() for entry in DATA["parking"] for mark in entry["marks"])
NETWORKS: Final = tuple(ip_network(net) for entry in DATA["parking"] for net in entry.get("networks", ()))
SERVERS: Final = tuple(name for entry in DATA["parking"] for name in entry.get("name_servers", ()))
SALE: Final = tuple(map(fold, DATA["sale"]["phrases"]))
SPAM: Final = frozenset(DATA["spam"]["words"])
FEW: Final = 250  # words of a page that has nothing to say but "for sale"
OFTEN: Final = 5  # words of spam that are no accident

Signs = Iterator[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a page came from: its bytes, the address that sent them, and its domain's name servers."""

    body: bytes = b""
    address: str | None = None
    servers: tuple[str, ...] = ()


def weigh(seen: Seen, source: Source, probe: Probed | None) -> dict[str, int]:
    """The signs for and against a parked domain, with their points."""
    if registrable(host_of(seen.asked)) in HOSTS:
        return {}
    signs = {**dict(_host(seen)), **dict(_page(seen, source))}
    if not signs:
        return {}
    weak = {**dict(_place(seen, source)), **dict(_any_path(seen, probe))}
    return {**signs, **weak, **dict(_against(seen))}


def leads_away(seen: Seen) -> bool:
    """Whether a domain redirects to a host that parks domains: no page has to be read to see that."""
    return registrable(host_of(seen.asked)) not in HOSTS and bool(dict(_host(seen)))


def _host(seen: Seen) -> Signs:
    here = next((registrable(host_of(url)) for url in seen.hops if registrable(host_of(url)) in HOSTS), None)
    if here is not None:
        yield f"led to {here}, which parks domains", 60


def _page(seen: Seen, source: Source) -> Signs:
    page = seen.page
    if page is None:
        return
    mark = says(source.body.lower().decode("latin-1"), _marks())
    if mark is not None:
        yield f"its source has {mark}", 40
    title = fold(page.title)
    if says(title, SALE):
        yield "its title offers the domain", 35
    phrase = says(fold(page.text), SALE)
    if phrase is not None and len(words(page.text)) <= FEW:
        yield f"its few words say: {phrase}", 30
    yield from _spam(seen, title)


@lru_cache(maxsize=1)
def _marks() -> tuple[str, ...]:
    return tuple(mark.decode() for mark in MARKS)


def _spam(seen: Seen, title: str) -> Signs:
    page = seen.page
    if page is None or not SPAM.isdisjoint(places.names(seen.asked)):
        return
    named = _spam_in(title)
    if not named:
        return
    yield f"its title sells {named[0]}", 25
    if len(_spam_in(" ".join((fold(page.text), *map(fold, page.headings))))) >= OFTEN:
        yield "its text sells the same", 15
    if is_stranger(seen):
        yield "it says nothing of what the URL names", 20


def _spam_in(text: str) -> list[str]:
    spaced = words(text)
    found = [word for word in spaced if word in SPAM]
    return found + [word for word in SPAM if not word.isascii() and len(word) > 1 and word in text]


def _place(seen: Seen, source: Source) -> Signs:
    asked, final = host_of(seen.asked), host_of(seen.final)
    if source.address is not None and _is_parking(source.address):
        yield "it is served from where parked domains are", 25
    server = next((name for name in source.servers if name.endswith(SERVERS)), None)
    if server is not None:
        yield f"its name server is {server}", 25
    if registrable(asked) != registrable(final):
        yield "led to another domain", 15
    if seen.page is not None and registrable(asked) in fold(seen.page.title):
        yield "its title is the name of the domain", 15


@lru_cache(maxsize=4096)
def _is_parking(address: str) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in net for net in NETWORKS)


def _any_path(seen: Seen, probe: Probed | None) -> Signs:
    if probe is None or not probe.fine:
        return
    own = print_of(seen)
    same_end = probe.led and seen.led and places.same_path(probe.final, seen.final)
    if same_end or (own and probe.print and same_words(own, probe.print) >= SAME):
        yield "the site answers any path alike", 25
    elif own and probe.print and same_title(own, probe.print):
        yield "the same title as a page that cannot exist", 20


def _against(seen: Seen) -> Signs:
    page = seen.page
    if page is None:
        return
    if is_article(page):
        yield "says that it is an article", -40
    if len(set(words(page.title)) & places.names(seen.asked)) > 1:
        yield "its title is what the URL names", -30
    if gate(page, seen.hops) is not None:
        yield "a gate before the page", -30
