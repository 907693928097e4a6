"""Who draws a page of few words: its server, or scripts."""

from __future__ import annotations

import pytest

from crawler.checks.html import parse_html
from crawler.content import soft404
from crawler.content.fingerprint import fingerprint
from crawler.content.observation import ObservedPage, ProbeResult
from crawler.content.rendering import is_shell

pytestmark = pytest.mark.libraries

URL = "https://site.example/news/2020/council-votes-on-new-bridge"
FEW = "Home About Contact Imprint Weather Sport"
APPLICATION = "<script src=/app.js></script>"


def seen(text: str, url: str = URL) -> ObservedPage:
    """A page as it was observed."""
    return ObservedPage(url, (), parse_html(text))


SHELLS = {
    "an application": f"<body>{FEW}{APPLICATION}",
    "a script within": f"<body>{FEW}<script>draw()</script>",
    "an empty element of a framework": f"<body><p>{FEW * 9}</p><div id=app></div>",
    "next to no words, and no script": "<body>Hello there",
    "a picture of another site": f"<body>{FEW}<iframe src=https://maps.example/></iframe>",
    "a generator that needs scripts": f"<meta name=generator content='Gatsby 5'><body>{FEW}{APPLICATION}",
}
WHOLE = {
    "words enough": f"<body>{FEW * 9}{APPLICATION}",
    "no script": f"<body>{FEW}",
    "data for machines alone": f"<body>{FEW}<script type='application/ld+json'>{{}}</script>",
    "a theme of WordPress": f"<body>{FEW}<script src=/wp-content/themes/x/a.js></script>",
    "a module of Drupal": f"<body>{FEW}<script src=/sites/all/modules/x/a.js></script>",
    "Web Forms": f"<body id=ctl00_Body>{FEW}{APPLICATION}",
    "a generator of files": f"<meta name=generator content='VuePress 1.7'><div id=app></div>{APPLICATION}",
}


@pytest.mark.parametrize("name", SHELLS)
def test_pages_that_scripts_draw(name: str) -> None:
    """Few words around scripts say nothing."""
    assert is_shell(seen(SHELLS[name]))


@pytest.mark.parametrize("name", WHOLE)
def test_pages_that_came_whole(name: str) -> None:
    """A page is whole that has words enough, or a system that leaves nothing to scripts."""
    assert not is_shell(seen(WHOLE[name]))


def test_few_words_of_a_server_are_compared() -> None:
    """What a server sent whole is gone where any path gets the same; what scripts draw is not."""
    for text, gone in ((WHOLE["a theme of WordPress"], True), (SHELLS["an application"], False)):
        page, sibling = seen(text), seen(text, f"{URL}-x")
        comparable = soft404.is_comparable(sibling)
        assert page.page is not None
        probe = ProbeResult(sibling.url, sibling.url, 200, fingerprint(page.page, URL), comparable)
        total = sum(soft404.soft_404_signs(page, probe).values())
        assert (total >= soft404.MIN_SOFT_404_POINTS) is gone
