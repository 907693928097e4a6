"""URLs: WHATWG's own vectors, what other libraries make of URLs, and properties of any text."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crawler.errors import InvalidUrl, UnsupportedScheme, UrlError
from crawler.urls import host_of, masked, request_url, resolve, without_credentials

pytestmark = pytest.mark.libraries

Row = Mapping[str, Any]
ESCAPE: Final = re.compile(r"%[0-9A-Fa-f]{2}")
HTTP: Final = ("http:", "https:")


def _said(ask: Callable[..., str], *words: str | None) -> str:
    """The URL, or the name of the documented error; any other error ends the test."""
    try:
        return ask(*words)
    except UrlError as exc:
        return type(exc).__name__


def _rows(corpus: Path, name: str) -> Iterator[Row]:
    return (row for row in json.loads((corpus / "vectors" / name).read_text()) if isinstance(row, dict))


def _standard(row: Row) -> str:
    """What the standard prescribes, less the fragment, for a program that speaks HTTP alone."""
    if row.get("failure"):
        return "InvalidUrl"
    if row["protocol"] not in HTTP:
        return "UnsupportedScheme"
    return str(row["href"]).partition("#")[0]


def _false_idna(row: Row) -> bool:
    """A label that claims to be IDNA and is not: ada lets it pass, and no resolver knows it."""
    return bool(row.get("failure")) and "xn--" in row["input"].lower()


def _no_scheme(row: Row) -> bool:
    """`//host/path`: the contract takes https, whatever the base."""
    return bool(row["input"].strip().startswith("//") and row["base"])


# Why the request URL is not what the standard says, and how many of its vectors that may concern: ada
# before 4 refuses all false IDNA.
FROM_THE_STANDARD: Final[Mapping[Callable[[Row], bool], set[int]]] = {_false_idna: {0, 6}, _no_scheme: {21}}


def _ours(row: Row) -> str:
    """What takes the place of the standard's result in a row that deviates."""
    if _no_scheme(row):
        return _said(request_url, f"https:{row['input'].strip()}")
    return _said(request_url, row["input"], row["base"])


def test_request_urls_are_those_of_the_standard(corpus: Path) -> None:
    """All vectors of the standard hold, but for two kinds of text that are counted and explained."""
    rows = list(_rows(corpus, "urltestdata.json"))
    odd = [row for row in rows if _said(request_url, row["input"], row["base"]) != _standard(row)]
    reasons = Counter(reason for row in odd for reason in FROM_THE_STANDARD if reason(row))

    assert len(rows) > 600
    assert [row for row in odd if not any(reason(row) for reason in FROM_THE_STANDARD)] == []
    assert all(reasons[reason] in counts for reason, counts in FROM_THE_STANDARD.items())
    assert all(_said(request_url, row["input"], row["base"]) == _ours(row) for row in odd)


def test_redirects_resolve_as_the_standard_says(corpus: Path) -> None:
    """A Location means what the standard makes of it on its base, without any exception."""
    rows = [row for row in _rows(corpus, "urltestdata.json") if row["base"]]
    odd = [row for row in rows if _said(resolve, row["input"], row["base"]) != _standard(row)]

    assert len(rows) > 200
    assert odd == []


def test_hosts_are_those_of_the_standard(corpus: Path) -> None:
    """The host of a request URL is what the standard calls its host name, without brackets."""
    rows = [row for row in _rows(corpus, "urltestdata.json") if row.get("protocol") in HTTP]
    found = {row["href"]: host_of(row["href"]) for row in rows}

    assert len(found) > 100
    assert found == {row["href"]: row["hostname"].strip("[]") for row in rows}


def test_credentials_of_the_standard_are_masked(corpus: Path) -> None:
    """Every vector with user or password is shown without them, and all others as they are."""
    rows = [row for row in _rows(corpus, "urltestdata.json") if row.get("protocol") in HTTP]
    secret = [row for row in rows if row["username"] or row["password"]]

    assert len(secret) > 10
    for row in rows:
        bare, credentials = without_credentials(row["href"])
        assert (credentials is not None) == (row in secret)
        assert masked(row["href"]) == (bare.replace("//", "//***@", 1) if row in secret else row["href"])
        assert row not in secret or without_credentials(bare) == (bare, None)


def _other_encoding(row: Row) -> bool:
    """Asks for another encoding than UTF-8, or gives bytes that the vectors keep as letters."""
    return "(b'" in row["call"] or "encoding=" in row["call"] or "iso-8859" in row["call"]


def _no_http(row: Row) -> bool:
    """No URL that can be requested by HTTP."""
    return _said(request_url, row["input"]) in {"InvalidUrl", "UnsupportedScheme"}


def _fragment(row: Row) -> bool:
    """The fragment is never sent."""
    return "#" in row["input"]


def _default_port(row: Row) -> bool:
    """The standard leaves out the port that the scheme has anyway."""
    return ":80" in row["expected"]


def _user(row: Row) -> bool:
    """The standard leaves escapes and `%` in credentials as they are, and ends the host with `/`."""
    return "@" in row["input"]


# The functions that are meant to keep what is requested, and where they do not what we do.
FROM_SAFE: Final[Mapping[Callable[[Row], bool], int]] = {
    _other_encoding: 7,
    _no_http: 7,
    _fragment: 2,
    _default_port: 2,
    _user: 3,
}


def test_safe_forms_of_other_libraries(corpus: Path) -> None:
    """What w3lib calls safe is what we request, but for the kinds of text that are counted here."""
    rows = [row for row in _rows(corpus, "url_normalisation.json") if row["fn"].startswith("safe_")]
    odd = [row for row in rows if _said(request_url, row["input"]) != row["expected"]]
    reasons = Counter(next(reason for reason in FROM_SAFE if reason(row)) for row in odd)

    assert len(rows) > 40
    assert reasons == FROM_SAFE


def test_nothing_that_others_normalise_is_changed(corpus: Path) -> None:
    """Query order, escapes, `www.`, slashes and index pages stay, whatever others make of them.

    Most of these vectors (`canonicalize_url`, `normalizeUrl`) change what is requested on purpose;
    so it is not their results that must hold, but that ours keep every byte of path and query.
    """
    seen = 0
    for row in _rows(corpus, "url_normalisation.json"):
        url = _said(request_url, row["input"])
        asked = re.sub(r"[\t\r\n]", "", row["input"].strip()).partition("#")[0]
        if url.startswith("http") and not DOTS.search(asked):
            seen += 1
            assert request_url(url) == url
            assert _kept(_behind_host(asked)).fullmatch(_behind_host(url)), (asked, url)
    assert seen > 190


DOTS: Final = re.compile(r"/(?:\.|%2e){1,2}(?:/|$)|\\", re.IGNORECASE)
SAFE: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/?&=;:@,+!$()*%")


def _behind_host(url: str) -> str:
    """Path and query; the path is at least a slash."""
    rest = re.sub(r"^[^:/]*:?//[^/?]*", "", url)
    return rest if rest.startswith("/") else f"/{rest}"


def _kept(text: str) -> re.Pattern[str]:
    """What may become of path and query: other than letters that URLs are made of, nothing is escaped."""
    tokens = re.findall(r"%[0-9A-Fa-f]{2}|.", text, re.DOTALL)
    return re.compile("".join(re.escape(one) if one[:1] in SAFE else _either(one) for one in tokens))


def _either(letter: str) -> str:
    """The letter, or its UTF-8 bytes escaped."""
    return f"(?:{re.escape(letter)}|{''.join(f'%{byte:02X}' for byte in letter.encode())})"


TEXT: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
PIECE: Final = st.one_of(
    st.sampled_from(
        ["%2F", "%2f", "%252F", "%20", "%FF", "%00", "%7e", "%", "%zz", " ", "&amp;", "+", "'", "|"]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\?#."), max_size=6),
)
INNER: Final = st.lists(PIECE, max_size=8).map("".join)


@given(INNER, INNER)
@example("%2e%2E.", "b=1&a=%2fx&a=2")
@example("", "")
def test_path_and_query_are_requested_byte_for_byte(path: str, query: str) -> None:
    """No existing escape is decoded or changed, nothing is dropped or reordered."""
    asked = f"/x{path}x?x{query}x"
    url = request_url(f"https://a.example{asked}#part")
    assert _kept(asked).fullmatch(url.removeprefix("https://a.example"))


BASES: Final = st.sampled_from([None, "https://a.example/b/c?d", "http://a.example"])
STARTS: Final = st.sampled_from(
    ["", "http://", "HTTPS://a.example/", "//", "/", "../", "http:", "http://u:p@", "?"]
)


@given(STARTS, TEXT, BASES)
@example("", "http://h/\ud800", None)
@example("", "http://[::1%25eth0]/", None)
@example("http://h/", "?" * 10_000, None)
@example("http://h/", "x" * 70_000, None)
def test_any_text_is_a_url_or_a_documented_error(start: str, text: str, base: str | None) -> None:
    """Whatever a record says, there comes a request URL, or an error that tells why not."""
    try:
        url = request_url(start + text, base)
    except (InvalidUrl, UnsupportedScheme):
        return
    assert url.startswith(("http://", "https://"))
    assert url.isascii()
    assert "#" not in url
    assert request_url(url) == url
    assert request_url(url, "https://other.example/") == url
    assert host_of(url)


@given(STARTS, TEXT)
def test_redirect_to_any_text(start: str, text: str) -> None:
    """Whatever a Location says, it can be followed, or it is a documented error."""
    try:
        url = resolve(start + text, "https://a.example/b/c?d")
    except (InvalidUrl, UnsupportedScheme):
        return
    assert resolve(url, "http://other.example/") == url


@given(st.text("abcXYZ019!$%&'()*+,;=~._-é ", min_size=1, max_size=12), st.booleans())
def test_secrets_never_show(password: str, broken: bool) -> None:  # noqa: FBT001 - drawn
    """A password is masked in a URL that can be requested, and in one that cannot."""
    secret = f"s3cret{password}s3cret"
    host = "bad host" if broken else "a.example"
    assert "s3cret" not in masked(f"https://joe:{secret}@{host}/path?q=1")


@pytest.mark.parametrize(
    "text",
    [
        "http://joe:s3c?ret@a.example/",
        "http://joe:s3c/ret@a.example/",
        "http://joe:s3c#ret@a.example/",
        "http://joe:s3c@ret@a.example/",
        "//joe:s3cret@a.example/",
        "\\\\joe:s3cret@a.example\\",
        "https://joe:s3cret@[::1/",
        "ftp://joe:s3cret@a.example/",
        "http:joe:s3cret@a.example/",
    ],
)
def test_secrets_in_broken_urls(text: str) -> None:
    """Where nobody can tell the end of a password, too much is masked rather than too little."""
    assert "s3c" not in masked(text)
    assert "ret@" not in masked(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://a.example/@joe", "http://a.example/@joe"),
        ("http://a.example/?to=joe@b.example", "http://a.example/?to=joe@b.example"),
        ("mailto:joe@a.example", "mailto:joe@a.example"),
        ("joe@a.example", "joe@a.example"),
        ("http://bad host/@joe", "http://bad host/@joe"),
    ],
)
def test_what_is_no_secret_stays(text: str, shown: str) -> None:
    """An `@` behind the host is part of the path or the query."""
    assert masked(text) == shown


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        ("example.org/x", "no scheme"),
        ("/x", "base_url"),
        ("../x", "base_url"),
        ("http://", "cannot be parsed"),
        ("mailto:joe@a.example", "mailto:"),
        ("javascript:alert(1)", "javascript:"),
        ("x" * 70_000, "70000 characters"),
    ],
)
def test_errors_say_what_to_do(text: str, said: str) -> None:
    """The reason why a text is no URL stands in the error, in a short sentence."""
    with pytest.raises(UrlError, match=re.escape(said)) as caught:
        request_url(text)
    assert len(str(caught.value)) < 100
