"""AMP cache URLs: the published cases, thousands of real pairs, and the way back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given, reject
from hypothesis import strategies as st

from crawler.checks.amp_cache import MAX_LABEL_OCTETS, cache_label, cache_url, parse_cache_url, same_cache_url
from crawler.errors import UrlError
from crawler.urls import host_of, request_url

Row = Mapping[str, Any]
SERVINGS: Final = {"viewer": "v", None: "c"}


def _by_suffix(url: str) -> str:
    """How the published tool serves a URL whose suffix tells; we are told it by the link's kind."""
    path = urlsplit(url).path
    return {".png": "i", ".jpg": "i", ".woff2": "r"}.get(path[path.rfind(".") :] if "." in path else "", "c")


def _ascii(url: str, wanted: str) -> str:
    """A host of other letters: the tool leaves it as it is, and a request carries its IDNA form."""
    return wanted.replace(urlsplit(url).netloc, host_of(request_url(url)))


def _port(url: str, wanted: str) -> str:
    """A port: the tool loses it, and another port is another page."""
    parsed = urlsplit(url)
    return wanted.replace(f"/{parsed.hostname}/", f"/{parsed.netloc}/") if parsed.port else wanted


def _credentials(url: str, wanted: str) -> str:
    """Credentials: the tool hands them to the cache, and they are none of its business."""
    return re.sub(r"//[^/@]*@", "//", wanted) if "@" in url else wanted


def _fragment(url: str, wanted: str) -> str:
    """A fragment is never requested."""
    return wanted.partition("#")[0] if "#" in url else wanted


# Where we differ from the tool: what each says of its result, and how many results it changes.
DEVIATIONS: Final[Mapping[Callable[[str, str], str], int]] = {
    _ascii: 3,
    _port: 1,
    _credentials: 1,
    _fragment: 1,
}


def _vectors(corpus: Path) -> Mapping[str, list[Row]]:
    found: dict[str, list[Row]] = json.loads((corpus / "vectors" / "amp_cache_url.json").read_text())
    return found


def _pairs(corpus: Path) -> Iterator[tuple[str, str]]:
    """AMP and AMP-CDN URL as records hold them."""
    vectors = _vectors(corpus)
    for row in vectors["real_pairs"]:
        yield row["ampWebUrl"], row["cdnAmpWebUrl"]
    for row in vectors["real_pairs_old_schema"]:
        if row["matches_algorithm"]:
            yield row["ampUrl"], row["cdnAmpUrl"]


def test_published_labels(corpus: Path) -> None:
    """The label of every published and computed host is ours."""
    vectors = _vectors(corpus)
    wanted = {row["url"]: row["expected"] for row in vectors["published"] if "Subdomain" in row["fn"]}
    wanted |= {row["url"]: row["curlsSubdomain"] for row in vectors["derived"]}
    found = {url: cache_label(host_of(request_url(url))) for url in wanted}

    assert len(wanted) > 870
    assert found == wanted


def test_published_cache_urls(corpus: Path) -> None:
    """Every published and computed cache URL is ours, but for four counted deviations."""
    vectors = _vectors(corpus)
    cases = [
        (row["url"], row["expected"], SERVINGS[row["servingType"]])
        for row in vectors["published"]
        if row["fn"] == "createCacheUrl"
    ]
    cases += [(row["url"], row["cacheUrl"], "c") for row in vectors["derived"]]
    changed = dict.fromkeys(DEVIATIONS, 0)
    for url, published, serving in cases:
        wanted = published
        for deviation in DEVIATIONS:
            changed[deviation] += deviation(url, wanted) != wanted
            wanted = deviation(url, wanted)
        assert cache_url(request_url(url), serving if serving != "c" else _by_suffix(url)) == wanted

    assert len(cases) > 880
    assert changed == DEVIATIONS


def test_real_pairs(corpus: Path) -> None:
    """What records hold as AMP-CDN URL is what we compute from their AMP URL, byte for byte."""
    pairs = list(_pairs(corpus))

    assert len(pairs) > 1800
    assert [(amp, cdn) for amp, cdn in pairs if cache_url(request_url(amp)) != cdn] == []


def test_real_cache_urls_are_taken_apart(corpus: Path) -> None:
    """The page's own URL comes back out of every real AMP-CDN URL."""
    for amp, cdn in _pairs(corpus):
        found = parse_cache_url(cdn)
        assert found is not None
        assert found.url in {amp, request_url(amp).removesuffix("/")}
        assert (found.serving, found.label) == ("c", cache_label(host_of(amp)))


SPELLINGS = [
    ("https://köln.example/a", "https://xn--kln-example-rfb.cdn.ampproject.org/c/s/köln.example/a"),
    ("https://köln.example/a", "https://xn--kln-example-rfb.cdn.ampproject.org/c/s/k%C3%B6ln.example/a"),
    ("https://xn--kln-sna.example/a", "https://xn--kln-example-rfb.cdn.ampproject.org/c/s/köln.example/a"),
    (
        "https://news.example:8443/a?b=1",
        "https://news-example.cdn.ampproject.org/c/s/news.example:8443/a?b=1",
    ),
    ("https://news.example:8443/a?b=1", "https://news-example.cdn.ampproject.org/c/s/news.example/a?b=1"),
    ("https://news.example:443/a", "https://news-example.cdn.ampproject.org/c/s/news.example/a"),
]


@pytest.mark.parametrize(("amp", "cdn"), SPELLINGS)
def test_spellings_of_one_host(amp: str, cdn: str) -> None:
    """A host in Unicode, in its escapes or in ASCII is one host, and a cache's label has no port."""
    assert same_cache_url(request_url(cdn), cache_url(request_url(amp)))
    assert not same_cache_url(request_url(cdn), cache_url(request_url(f"{amp}x")))


LABEL: Final = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
HOST: Final = st.lists(LABEL, min_size=1, max_size=5).map(".".join)
REST: Final = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=30)


@st.composite
def _urls(draw: st.DrawFn) -> str:
    """Request URLs without credentials, with and without port, path and query."""
    scheme, port = draw(st.sampled_from(["http", "https"])), draw(st.sampled_from(["", ":8080"]))
    rest = draw(st.sampled_from(["", "/", "?", "/s/"])) + draw(REST)
    try:
        return request_url(f"{scheme}://{draw(HOST)}.example{port}/{rest}")
    except UrlError:
        reject()


@given(_urls(), st.sampled_from(["c", "i", "v"]))
@example("https://a.example/?a=1", "c")
@example("http://a.example/s/", "c")
@example("http://a.example/s/b", "i")
@example("https://a.example//b", "c")
def test_there_and_back(url: str, serving: str) -> None:
    """Taking a cache URL apart gives the URL that it was made of; a bare slash may be gone."""
    found = parse_cache_url(cache_url(url, serving))
    assert found is not None
    bare = url.removesuffix("/") if url.count("/") == 3 else url
    assert (found.url, found.serving, found.label) == (bare, serving, cache_label(host_of(url)))


@given(HOST)
@example("xn--bcher-kva.ch")
@example("localhost")
@example("a" * 63 + ".example")
def test_every_host_has_a_label_for_dns(host: str) -> None:
    """A label has at most 63 octets, no dot, and looks like IDNA only if it is."""
    found = cache_label(host)
    assert 0 < len(found) <= MAX_LABEL_OCTETS
    assert re.fullmatch(r"[a-z0-9_-]+", found)
    if found[2:4] == "--":
        assert found.startswith("xn--")
        assert not found[4:].encode().decode("punycode").isascii()


@given(st.text(max_size=80))
@example("https://a-example.cdn.ampproject.org/c/")
@example("https://a-example.cdn.ampproject.org/x/s/a.example")
@example("https://cdn.ampproject.org/c/s/a.example")
def test_what_is_no_cache_url(text: str) -> None:
    """Other URLs have no parts, and are equal to themselves alone."""
    assert parse_cache_url(text) is None
    assert parse_cache_url(f"https://evil.example/{text}") is None
    assert same_cache_url(text, text)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("c/s/a.example", "c/s/a.example/", True),
        ("c/s/a.example/b", "c/s/a.example/b/", False),
        ("c/s/a.example", "c/a.example", False),
        ("c/s/a.example", "i/s/a.example", False),
        ("c/s/a.example?x", "c/s/a.example?y", False),
    ],
)
def test_slash_behind_a_bare_host_says_nothing(one: str, other: str, *, same: bool) -> None:
    """Two cache URLs are the same but for the slash that a bare host may end with."""
    start = "https://a-example.cdn.ampproject.org/"
    assert same_cache_url(start + one, start + other) is same
