"""The report for a browser: one file, for any screen, that runs nothing and asks for nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
import sqlalchemy as sa
from playwright.async_api import Browser

from crawler.images.thumbnail import thumbnail
from crawler.report.base import REPORTS, summarise
from crawler.report.selection import Selection
from storage.db.database import open_engine
from storage.ledger import end_run
from storage.model import Kind, Link, Picture, RunEnd, Size, Verdict
from storage.rollups.link_issues import judge_links
from tests.browser.look import Look, looking
from tests.crawler.pictures import picture
from tests.crawler.report.build import small
from tests.storage.build import NOW, catalogued, document, finding, ids, write

pytestmark = pytest.mark.asyncio(loop_scope="session")

ATTACK: Final = "\"'><script>alert(1)</script><img src=x onerror=alert(2)><svg onload=alert(3)>"
SCHEME: Final = "javascript:alert(4)//"


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    """An empty database."""
    return open_engine(f"sqlite:///{tmp_path}/linkhealth.db")


async def _open(
    look: Look, engine: sa.Engine, folder: Path, of: Callable[[Picture], bytes | None] = lambda _: None
) -> str:
    page = folder / "report.html"
    summary = summarise(engine, Selection())
    summary.thumbnail = of
    page.write_text("".join(REPORTS["html"](summary)), encoding="utf-8")
    engine.dispose()
    await look.page.goto(page.as_uri())
    return page.as_uri()


async def test_fits_every_screen(browser: Browser, engine: sa.Engine, tmp_path: Path) -> None:
    """It is as wide as the window, passes the rules of accessibility, and asks for nothing."""
    small(engine)
    async with looking(browser) as look:
        uri = await _open(look, engine, tmp_path)

        assert await look.page.locator("article").count() > 0
        async for screen in look.screens():
            assert await look.breaches_of_shape() == [], screen
            assert await look.overflow() <= 0, screen
        assert await look.breaches_of_colour() == []
        assert (look.asked, look.errors) == ([uri], [])


async def test_pictures_are_drawn_to_scale(browser: Browser, engine: sa.Engine, tmp_path: Path) -> None:
    """A wrong size is drawn as two frames from one corner, with the picture in the one that is real."""
    small(engine)
    async with looking(browser) as look:
        await _open(look, engine, tmp_path, lambda _: thumbnail(picture(size=Size(980, 700))))
        drawn = look.page.locator("figure svg")
        boxes = {one: await drawn.locator(f"rect.{one}").bounding_box() for one in ("declared", "actual")}
        declared, actual = boxes["declared"], boxes["actual"]

        assert await drawn.get_attribute("aria-label") == "declared 100x100, really 980x700"
        assert declared is not None
        assert actual is not None
        assert actual["width"] / declared["width"] == pytest.approx(9.8, rel=0.1)  # the line has a width, too
        assert actual["height"] / declared["height"] == pytest.approx(7, rel=0.1)
        assert (actual["x"], actual["y"]) == pytest.approx((declared["x"], declared["y"]), abs=1.5)
        src = await look.page.evaluate("document.querySelector('image').href.baseVal")
        assert src.startswith("data:image/webp;")
        assert look.errors == []


async def test_hostile_text_is_text(browser: Browser, engine: sa.Engine, tmp_path: Path) -> None:
    """Markup in paths, fields, URLs and details is shown letter by letter, and nothing of it runs."""
    url = f"https://a.example/{ATTACK}"
    links = [
        Link(f"x{ATTACK}", 1, 1, url, Kind.WEB),
        Link("webUrl", 2, 1, SCHEME, Kind.WEB),
    ]
    run = catalogued(engine, document(f"seeds/{ATTACK}.md", links, problems=[ATTACK]))
    for key in ids(engine).values():
        write(engine, run, replace(finding(key, Verdict.NOT_FOUND), detail=ATTACK, moved_to=SCHEME))
    judge_links(engine, lambda _: {})
    end_run(engine, run, RunEnd.FINISHED, NOW)
    async with looking(browser) as look:
        uri = await _open(look, engine, tmp_path)

        assert await look.page.locator("article").count() == 3
        assert ATTACK in await look.page.inner_text("main")
        assert await look.page.locator("script, img, svg[onload], [href^='javascript']").count() == 0
        assert (look.asked, look.errors) == ([uri], [])
