"""The controls of the dashboard, used as a person uses them: filters, search, sorting, paging, pins."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, expect

from tests.browser.look import Look, looking
from tests.browser.town import DEAD, IMAGES, RUNS, H, dashboard

pytestmark = pytest.mark.asyncio(loop_scope="session")

TOKEN: Final = "a token of enough letters"
ROWS: Final = "main tbody tr"


@asynccontextmanager
async def _open(browser: Browser, origin: str, path: str) -> AsyncIterator[Look]:
    """A page of the dashboard; at the end, nothing may have gone wrong on any that was seen."""
    async with looking(browser) as look:
        await look.page.goto(origin + path)
        yield look
        assert (look.elsewhere(origin), look.errors) == ([], [])


async def _show(look: Look, *, labels: dict[str, str] | None = None, **choices: str) -> None:
    """Fill in fields by their label, choose words by the name of the choice, and submit."""
    for label, text in (labels or {}).items():
        await look.page.get_by_label(label, exact=True).fill(text)
    for name, word in choices.items():
        await look.page.locator(f"select[name='{name}']").select_option(word)
    await look.page.get_by_role("search").get_by_role("button", name="Show").click()


async def _names(look: Look, rows: str = ROWS) -> list[str]:
    """The first link of each row."""
    found: list[str] = await look.page.locator(rows).evaluate_all(
        "rows => rows.map(row => row.querySelector('th a')?.textContent ?? '')"
    )
    return found


async def test_links_by_search_and_order(browser: Browser, town_origin: str) -> None:
    """What is typed is searched; the order is the one that was chosen; Reset forgets both."""
    async with _open(browser, town_origin, "/links") as look:
        await _show(look, labels={"Part of the URL": "DEAD/00"}, sort="url")
        assert await _names(look) == [f"{H}/dead/00{number}" for number in range(10)]
        await expect(look.page.get_by_label("Part of the URL")).to_have_value("DEAD/00")
        await look.page.get_by_role("link", name="Reset").click()
        await expect(look.page.locator(ROWS)).to_have_count(50)


async def test_links_by_filters(browser: Browser, town_origin: str) -> None:
    """More filters open, work together, and stay as they were chosen."""
    async with _open(browser, town_origin, "/links") as look:
        await look.page.get_by_text("More filters").click()
        await _show(look, labels={"Host": "inn07.example"}, state="alive", kind="web")
        assert await _names(look) == ["http://inn07.example/"]
        await expect(look.page.locator("select[name='state']")).to_have_value("alive")
        await _show(look, state="", verdict="not-found")
        await expect(look.page.get_by_text("No target fits.")).to_be_visible()


async def test_links_by_pages(browser: Browser, town_origin: str) -> None:
    """Next goes on where the page ended, with the same search; Previous comes back."""
    async with _open(browser, town_origin, "/links") as look:
        await _show(look, labels={"Part of the URL": "dead/"}, sort="url")
        first = await _names(look)
        await look.page.get_by_role("link", name="Next").click()
        await expect(look.page.get_by_text("Page 2 of 2")).to_be_visible()
        second = await _names(look)
        assert first + second == [f"{H}/dead/{number:03}" for number in range(DEAD)]
        await look.page.get_by_role("link", name="Previous").click()
        assert await _names(look) == first


async def test_hosts_by_all_controls(browser: Browser, town_origin: str) -> None:
    """A click on the head of a column sorts; search, run and pages work; a host leads to its links."""
    async with _open(browser, town_origin, "/hosts") as look:
        assert (await _names(look))[0] == "town.example"
        await look.page.get_by_role("link", name="Host, and its verdicts").click()
        assert (await _names(look))[:2] == ["", "inn00.example"]  # what has no host is first
        await look.page.get_by_role("link", name="Next").click()
        assert (await _names(look))[-1] == "town.example"
        await _show(look, labels={"Part of the name": "INN1"}, run="1", sort="host")
        assert await _names(look) == [f"inn1{number}.example" for number in range(10)]
        await expect(look.page.get_by_role("status")).to_contain_text("10 hosts in run 1")
        await look.page.get_by_role("link", name="inn13.example").click()
        assert await _names(look) == ["http://inn13.example/"]


async def test_gallery_by_all_controls(browser: Browser, town_origin: str) -> None:
    """Sections, search and pages; pictures of the cache are drawn in their frames."""
    async with _open(browser, town_origin, "/images") as look:
        hung = look.page.locator(".gallery > li")
        await expect(hung).to_have_count(24)
        await look.page.get_by_role("link", name="Next").click()
        await expect(hung).to_have_count(IMAGES - 24)
        await _show(look, labels={"Part of the URL": "/17.PNG"})
        await expect(hung).to_have_count(1)
        drawn = hung.locator("svg image")
        assert "/image/" in (await drawn.get_attribute("href") or "")
        boxes = [
            await hung.locator(one).bounding_box() for one in ("rect.declared", "rect.actual", "svg image")
        ]
        declared, actual, picture = (one or {"width": 0.0} for one in boxes)
        assert declared["width"] / actual["width"] == pytest.approx(10.6, rel=0.1)
        assert picture["width"] == pytest.approx(actual["width"], abs=3)
        await _show(look, labels={"Part of the URL": ""}, show="suspect")
        await expect(hung).to_have_count(IMAGES // 3)
        await expect(hung.first).to_contain_text("3 URLs have this picture")
        assert (
            await hung.first.locator("img").evaluate("img => img.decode().then(() => img.naturalWidth)")
            == 100
        )
        await _show(look, show="placeholder")
        await expect(look.page.get_by_text("No image fits.")).to_be_visible()


async def test_records_by_all_controls(browser: Browser, town_origin: str) -> None:
    """A beginning of a path, a severity, pages; a record leads to all its links."""
    async with _open(browser, town_origin, "/records") as look:
        cards = look.page.locator("main section.card h2 a")
        await expect(cards).to_have_count(25)
        await look.page.get_by_role("link", name="Next").click()
        await expect(look.page.get_by_text("Page 2 of")).to_be_visible()
        await _show(look, labels={"Record begins with": "seeds/00"})
        await expect(cards).to_have_count(10)
        await _show(look, severity="critical")
        await expect(cards).to_have_count(0)
        await _show(look, severity="")
        await cards.filter(has_text="seeds/003.md").click()
        await expect(look.page.locator(ROWS)).to_have_count(1)


async def test_runs_by_pages(browser: Browser, town_origin: str) -> None:
    """The oldest run is on the last page."""
    async with _open(browser, town_origin, "/runs") as look:
        first = look.page.locator(f"{ROWS} th")
        await expect(first.first).to_have_text(str(RUNS + 2))
        await look.page.get_by_role("link", name="Next").click()
        await expect(first.last).to_have_text("1")


async def test_pin_and_check_by_who_knows_the_token(browser: Browser, town: Path, tmp_path: Path) -> None:
    """A wrong token is refused, the right one lets in; a pin is kept, shown and forgotten again."""
    folder = tmp_path / "town"
    shutil.copytree(town, folder)
    with (folder / "config.toml").open("a") as config:
        config.write(f'[dashboard]\nwrite = true\ntoken = "{TOKEN}"\n')
    async with dashboard(folder) as origin, looking(browser) as look:
        page = look.page
        await page.goto(f"{origin}/target?url={H}/dead/001")
        for word in ("a guess of some letters", TOKEN):
            await page.locator("#token").fill(word)
            await page.get_by_role("button", name="Enter").click()
            await expect(page.get_by_role("alert")).to_have_count(int(word != TOKEN))
        await expect(page.locator("#url-h")).to_contain_text("/dead/001")
        await page.get_by_label("It is").select_option("ignore")
        await page.get_by_label("Because").fill("seen <b>")
        await page.get_by_role("button", name="Pin").click()
        await expect(page.get_by_role("status")).to_have_text("The pin is kept.")
        await expect(page.locator("main")).to_contain_text("by dashboard")
        await expect(page.locator("main")).to_contain_text("seen <b>")
        await page.get_by_role("button", name="Check again").click()
        await expect(page.get_by_role("status")).to_contain_text("The next run asks it again")
        await page.get_by_role("button", name="Forget the pin").click()
        await expect(page.get_by_role("status")).to_have_text("The pin is forgotten.")
        await expect(page.locator("main")).not_to_contain_text("by dashboard")
        assert look.elsewhere(origin) == []
        assert [error for error in look.errors if "401" not in error] == []


async def test_writing_is_off_as_long_as_nobody_says_so(browser: Browser, town_origin: str) -> None:
    """Without `write`, no page has a form that posts."""
    async with _open(browser, town_origin, f"/target?url={H}/dead/001") as look:
        await expect(look.page.locator("form[method='post']")).to_have_count(0)
        await expect(look.page.locator("footer")).to_contain_text("Read-only.")
