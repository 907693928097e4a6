"""Cookies of one visit: who may set them, and which request carries them."""

from __future__ import annotations

from typing import Final

import pytest
from multidict import CIMultiDict

from crawler.fetch.base import Cookie
from crawler.fetch.headers.cookies import MAX_COOKIES, cookie_header, store_cookies

NOW: Final = 1_796_000_000.0
AT: Final = "https://shop.site.example/a/b?q=/x"


def jar(*lines: str, url: str = AT) -> list[Cookie]:
    """The cookies that an answer sets."""
    cookies: list[Cookie] = []
    store_cookies(cookies, url, CIMultiDict(("Set-Cookie", line) for line in lines), lambda: NOW)
    return cookies


@pytest.mark.parametrize(
    ("line", "url", "sent"),
    [
        ("s=1", AT, "s=1"),
        ("s=1", "https://shop.site.example/a/", "s=1"),
        ("s=1", "https://shop.site.example/a", "s=1"),
        ("s=1", "https://shop.site.example/ab", ""),
        ("s=1; Path=/", "https://shop.site.example", "s=1"),
        ("s=1; path=/a/b/", AT, ""),
        ("s=1; Path=nonsense", "https://shop.site.example/a/c", "s=1"),
        ("s=1; Path=/", "https://site.example/", ""),
        ("s=1; Path=/; Domain=site.example", "https://site.example/", "s=1"),
        ("s=1; Path=/; Domain=.SITE.example", "https://other.site.example/", "s=1"),
        ("s=1; Path=/; Domain=site.example", "https://notsite.example/", ""),
        ("s=1; Path=/; Domain=other.example", "https://other.example/", ""),
        ("s=1; Path=/; Domain=deep.shop.site.example", AT, ""),
        ("s=1; Path=/; Secure", "https://shop.site.example/", "s=1"),
        ("s=1; Path=/; Secure", "http://shop.site.example/", ""),
        ("s=1; Path=/; HttpOnly; SameSite=None", "http://shop.site.example/", "s=1"),
        ("s=1; Path=/; Max-Age=0", AT, ""),
        ("s=1; Path=/; Max-Age=-5", AT, ""),
        ("s=1; Path=/; Max-Age=99999999999999999999999999", AT, "s=1"),
        ("s=1; Path=/; Expires=Thu, 01-Jan-1970 00:00:01 GMT", AT, ""),
        ("s=1; Path=/; Expires=Thu, 01-Jan-1970 00:00:01 GMT; Max-Age=60", AT, "s=1"),
        ("s=1; Path=/; Expires=soon", AT, "s=1"),
        ("just a value", AT, "just a value"),
        ("=v", AT, "v"),
        ("s=", AT, "s="),
        (' s = "a b" ', AT, 's="a b"'),
        ("", AT, ""),
        (";", AT, ""),
        ("s=a\x01b", AT, ""),
        ("s=\udcff", AT, ""),
        (f"s={'x' * 5000}", AT, ""),
        ("__Secure-s=1", AT, ""),
        ("__Secure-s=1; Secure", AT, "__Secure-s=1"),
        ("__Host-s=1; Secure; Path=/", AT, "__Host-s=1"),
        ("__Host-s=1; Secure; Path=/; Domain=shop.site.example", AT, ""),
    ],
)
def test_where_a_cookie_goes(line: str, url: str, sent: str) -> None:
    """Domain, path, secure, its time, and what its name promises."""
    assert cookie_header(jar(line), url) == sent


@pytest.mark.parametrize(
    ("line", "setter", "url", "sent"),
    [
        ("s=1; Domain=co.uk; Path=/", "http://a.co.uk/", "http://b.co.uk/", ""),
        ("s=1; Domain=github.io; Path=/", "http://a.github.io/", "http://a.github.io/", ""),
        ("s=1; Domain=github.io; Path=/", "http://github.io/", "http://github.io/", "s=1"),
        ("s=1; Domain=github.io; Path=/", "http://github.io/", "http://a.github.io/", ""),
        ("s=1; Secure", "http://a.site.example/", "https://a.site.example/", ""),
        ("s=1; Domain=0.1", "http://10.0.0.1/", "http://10.0.0.1/", ""),
        ("s=1", "http://[2001:db8::1]/", "http://[2001:db8::1]/x", "s=1"),
    ],
)
def test_who_may_set_a_cookie(line: str, setter: str, url: str, sent: str) -> None:
    """Nobody sets a cookie for a public suffix, for an address of others, or secure ones by http."""
    assert cookie_header(jar(line, url=setter), url) == sent


def test_a_later_cookie_takes_the_place_of_one_before() -> None:
    """The same name, domain and path are the same cookie; longer paths go first."""
    cookies = jar("a=1; Path=/", "b=2", "a=3; Path=/", "c=4; Path=/")

    assert cookie_header(cookies, AT) == "b=2; a=3; c=4"

    store_cookies(cookies, AT, CIMultiDict({"set-cookie": "a=; Path=/; Max-Age=0"}), lambda: NOW)
    assert cookie_header(cookies, AT) == "b=2; c=4"


def test_plain_http_does_not_replace_what_https_set() -> None:
    """A secure cookie stays as it is."""
    cookies = jar("s=safe; Secure; Path=/")
    store_cookies(cookies, "http://shop.site.example/", CIMultiDict({"Set-Cookie": "s=x; Path=/"}))

    assert cookie_header(cookies, AT) == "s=safe"


def test_cookies_are_bounded() -> None:
    """A server that sets thousands gets the first of them back."""
    cookies = jar(*(f"c{number}=1" for number in range(3000)))

    assert len(cookies) == MAX_COOKIES
