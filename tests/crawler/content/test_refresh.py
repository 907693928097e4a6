"""Pages that show nothing and lead on by a meta element."""

from __future__ import annotations

import pytest

from crawler.checks.html import parse_html
from crawler.content.refresh import refresh_target
from storage.model import Kind
from tests.check import check, config
from tests.site import page, serve

H = "http://site.example"
URL = f"{H}/news/2020/council-votes-on-new-bridge"
DOUBTING = config(checks={"not_found": True, "parked": True})
HOME = '<meta http-equiv="refresh" content="0; url=/">'
TARGETS = [
    (HOME, f"{H}/"),
    ("<meta http-equiv=Refresh content=\"0;URL='https://other.example/a'\">", "https://other.example/a"),
    ('<base href="/x/"><meta http-equiv=refresh content="3, url=b">', f"{H}/x/b"),
    ('<meta http-equiv=refresh content="30; url=/">', None),
    ('<meta http-equiv=refresh content="-1; url=/">', None),
    ('<meta http-equiv=refresh content="soon; url=/">', None),
    ('<meta http-equiv=refresh content="0; url=javascript:x()">', None),
    ('<meta http-equiv=refresh content="0">', None),
    (f'<meta http-equiv=refresh content="0; url={URL}">', None),
    (f"<noscript>{HOME}</noscript><script>draw()</script>", None),
    (HOME + "word " * 40, None),
]


@pytest.mark.parametrize(("text", "target"), TARGETS)
def test_where_a_page_leads(text: str, target: str | None) -> None:
    """A page leads on where it says nothing and names another URL, at once and to everyone."""
    assert refresh_target(parse_html(text), URL) == target


@pytest.mark.parametrize(("anything", "verdict"), [(HOME, "soft-404"), ("", "ok"), ("<p>" + "w " * 99, "ok")])
async def test_a_page_that_leads_to_the_front_page(anything: str, verdict: str) -> None:
    """It is gone where a page that cannot exist leads there, too, and is a page where it alone does so."""
    async with serve() as site:
        site.fallback = page(anything)
        site.add(f"{H}/", page("<title>The Site</title>"))
        site.add(URL, page(HOME))
        finding = await check(site, URL, Kind.WEB, DOUBTING)

    assert finding.verdict == verdict
