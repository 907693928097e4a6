"""What the source of a page tells machines: that it is the one for what is not found."""

from __future__ import annotations

import pytest

from crawler.checks.html import parse_html
from crawler.content.observation import ObservedPage
from crawler.content.source_marks import is_marked_not_found

pytestmark = pytest.mark.libraries

URL = "https://site.example/news/2020/council-votes-on-new-bridge"

MARKED = {
    "a theme of WordPress": "<body class='home error404 wide'>",
    "a shop": "<html class='template-404'><body>",
    "a body's id": "<body id=page-not-found>",
    "no route": "<body class='cms-noroute'><p>x",
    "an element of its own": "<body><x-http-404-message></x-http-404-message>",
    "the page of a framework": "<body><script src=/_next/static/chunks/pages/404-71c97c.js></script>",
    "its data": "<link rel=preload as=fetch href=/page-data/404.html/page-data.json><body>",
    "what a framework says": "<meta name=next-error content=not-found><body>",
    "a canonical link": "<link rel=canonical href=https://site.example/404.html><body>",
    "an address for cards": "<meta property=og:url content=https://site.example/de/404/><body>",
}
PLAIN = {
    "the number of a page": "<body class='page-id-404 postid-404 category-404'>",
    "the number of a story": "<link rel=canonical href=https://site.example/news/404><body>",
    "a class of an element": "<body><div class=error-404 hidden></div>",
    "a framework's other page": "<body><script src=/_next/static/chunks/pages/post-71c97c.js></script>",
    "a word that begins alike": "<body class=notfoundation>",
    "nothing": "",
}


@pytest.mark.parametrize("name", MARKED)
def test_marks(name: str) -> None:
    """Themes and frameworks name their page for what is not found."""
    assert is_marked_not_found(ObservedPage(URL, (), parse_html(MARKED[name])))


@pytest.mark.parametrize("name", PLAIN)
def test_what_is_no_mark(name: str) -> None:
    """A number of a page, or a part of it that is not shown, marks nothing."""
    assert not is_marked_not_found(ObservedPage(URL, (), parse_html(PLAIN[name])))


def test_an_error_page_that_was_asked_for() -> None:
    """A link to the error page itself finds what it names."""
    page = parse_html(MARKED["a canonical link"])
    assert not is_marked_not_found(ObservedPage("https://site.example/404.html", (), page))
