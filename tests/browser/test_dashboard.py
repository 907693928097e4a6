"""The dashboard in a real browser: every page, every screen, both themes, and hostile text on all of them."""

from __future__ import annotations

from typing import Any, Final

import pytest
from playwright.async_api import Browser

from crawler.dashboard.page import DashboardPage
from crawler.dashboard.pages import DASHBOARD_PAGES
from tests.browser.look import Look, looking

pytestmark = pytest.mark.asyncio(loop_scope="session")

MENU: Final = [page for page in DASHBOARD_PAGES if page.menu]
DEEP: Final = (
    "/target?url=http://town.example/4.png",
    "/target?url=http://town.example/turns",
    "/target?url=http://town.example/head",
    "/target?url=javascript:alert(4)//",
    "/target?url=http://nobody.example/",
    "/record?path=seeds/attack%20%3Cb%3E.md",
    "/images?show=suspect",
    "/hosts?search=inn0&run=1",
)
WRONG: Final = {"/nothing": 404, "/runs?page=99": 404, "/runs?page=x": 400, "/runs?sort=1": 400}
STOPS: Final = "a[href], button, input, select, textarea, summary, [tabindex='0']"


async def _seen(look: Look, url: str) -> None:
    answer = await look.page.goto(url)
    assert answer is not None
    assert answer.status == 200


@pytest.mark.parametrize("path", [*(page.path for page in MENU), *DEEP])
async def test_every_page_fits_every_screen(browser: Browser, town_origin: str, path: str) -> None:
    """No page is wider than its window, breaks a rule of accessibility, or asks anybody else."""
    async with looking(browser) as look:
        await _seen(look, town_origin + path)
        async for screen in look.screens():
            assert await look.breaches_of_shape() == [], screen
            assert await look.overflow() <= 0, screen
        assert await look.breaches_of_colour() == []
        assert (look.elsewhere(town_origin), look.errors) == ([], [])


@pytest.mark.parametrize("page", MENU, ids=lambda page: page.name or "overview")
async def test_keyboard_reaches_everything(
    browser: Browser, town_origin: str, page: DashboardPage[Any]
) -> None:
    """Tab goes first to the link that skips the menu, then on to whatever can be used, each with a ring."""
    async with looking(browser) as look:
        await _seen(look, town_origin + page.path)
        stops = await look.page.locator(STOPS).locator("visible=true").count()
        reached = [await _tabbed(look) for _ in range(min(60, stops))]

        assert reached[0][0].startswith("skip")
        assert {ring for _, ring in reached} == {True}


async def _tabbed(look: Look) -> tuple[str, bool]:
    """Go one further; the text of what has the focus now, and whether that can be seen."""
    await look.page.keyboard.press("Tab")
    text, ring = await look.page.evaluate(
        "(() => { const at = document.activeElement, style = getComputedStyle(at);"
        " return [at.innerText ?? '', style.outlineStyle !== 'none' && style.outlineWidth !== '0px'] })()"
    )
    return text.strip().lower(), ring


async def test_pages_work_without_scripts(browser: Browser, town_origin: str) -> None:
    """Where scripts are off, every page of the menu is there, and leads to the others."""
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(town_origin)
    for one in MENU:
        await page.locator("nav a", has_text=one.title).first.click()
        assert await page.locator("h1").count() == 1
    await context.close()


async def test_error_pages_help(browser: Browser, town_origin: str) -> None:
    """What is not there, or asked for wrongly, is a page with a sentence and a way back."""
    async with looking(browser) as look:
        for path, status in WRONG.items():
            answer = await look.page.goto(town_origin + path)
            assert answer is not None
            assert answer.status == status, path
            assert await look.breaches() == [], path
            assert await look.page.locator("main a").count() > 0, path
