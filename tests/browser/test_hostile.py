"""Text of strangers on every page, in a real browser: it is shown, and nothing else happens."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

import pytest
from playwright.async_api import Browser

from crawler.dashboard.pages import DASHBOARD_PAGES
from tests.browser.look import SIZES, Look, looking
from tests.browser.town import ATTACK, TURNED, H

pytestmark = pytest.mark.asyncio(loop_scope="session")

MENU: Final = [page.path for page in DASHBOARD_PAGES if page.menu]
LISTS: Final = (
    "/links?search=script",
    "/links?class=any&search=LONG",
    "/images?search=png",
    "/hosts?sort=host",
    *(
        f"/{name}={quote(ATTACK)}"
        for name in ("links?search", "hosts?search", "images?search", "records?record")
    ),
)
BEHIND: Final = (
    "/target?url=javascript:alert(4)//",
    f"/target?url={quote(f'{H}/{ATTACK}')}",
    f"/target?url={H}/head",
    f"/target?url={H}/dead/001",
    f"/target?url={H}/4.png",
    "/record?path=seeds/attack%20%3Cb%3E.md",
)
# What only an attack would bring: elements that run or load, links that do, and any inside of others' text.
STRANGE: Final = (
    "script:not([src='/static/live.js']), img:not([src^='/image/']), svg[onload], [onerror], [style], iframe,"
    " object, a[href^='javascript' i], a[href^='data' i], bdi *"
)
# Letters that turn others round, or that nobody sees.
OBEYED: Final = "\u202e\u200b"


async def _unharmed(look: Look, origin: str) -> None:
    """Nothing ran, nothing was asked of anybody, and what is shown is no wider than the window."""
    assert (look.errors, look.elsewhere(origin)) == ([], []), look.page.url
    assert await look.page.locator(STRANGE).count() == 0, look.page.url
    assert await look.overflow() <= 0, look.page.url
    text = await look.page.inner_text("body")
    assert not set(OBEYED) & set(text), look.page.url


async def test_attack_does_nothing_on_any_page(browser: Browser, town_origin: str) -> None:
    """Markup in titles, URLs, excerpts, alternative texts, headers, reasons and paths stays text."""
    async with looking(browser) as look:
        for path in (*MENU, *LISTS, *BEHIND):
            answer = await look.page.goto(town_origin + path)
            assert answer is not None
            assert answer.status == 200, path
            for size in SIZES:
                await look.resize(size)
                await _unharmed(look, town_origin)


async def test_attack_is_shown_letter_by_letter(browser: Browser, town_origin: str) -> None:
    """What a server and a record said can be read, where it matters."""
    async with looking(browser) as look:
        await look.page.goto(f"{town_origin}/links?search=script")
        await look.page.locator("tbody th a", has_text=H).first.click()
        assert "<script>alert(1)</script>" in await look.page.inner_text("main")
        await look.page.goto(f"{town_origin}/record?path=seeds/attack%20%3Cb%3E.md")
        assert "seeds/attack <b>.md" in await look.page.inner_text("h2")
        assert "javascript:alert(4)//" in await look.page.inner_text("main")
        await _unharmed(look, town_origin)


async def test_endless_url_has_a_page(browser: Browser, town_origin: str) -> None:
    """A URL of ten thousand letters is cut in a list, leads to its page, and makes none wider."""
    async with looking(browser) as look:
        await look.page.goto(f"{town_origin}/links?class=any&search=longlong")
        await look.page.locator("tbody th a").first.click()
        for size in SIZES:
            await look.resize(size)
            await _unharmed(look, town_origin)
        text = await look.page.inner_text("main")
        assert "characters)" in text
        assert TURNED.split()[0] in text  # the path of its record


async def test_errors_say_what_was_asked_and_obey_nothing(browser: Browser, town_origin: str) -> None:
    """An attack in an address is as harmless as one in a record."""
    async with looking(browser) as look:
        for path in (
            "/nothing/",
            "/runs?page=",
            "/links?state=",
            "/target?url=",
            "/record?path=",
            "/images?show=",
        ):
            await look.page.goto(town_origin + path + ATTACK)
            assert await look.page.locator(STRANGE).count() == 0, path
            assert await look.overflow() <= 0, path
        assert look.elsewhere(town_origin) == []
        assert [error for error in look.errors if "status of 4" not in error] == []
