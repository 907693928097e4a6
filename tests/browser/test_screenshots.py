"""The pictures of the docs are small, shown, and such as the script makes them now."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Browser

from tests.browser.screenshots import DOCS, SHOTS, Shot, take

LARGEST = 150_000  # bytes


@pytest.mark.parametrize("shot", SHOTS, ids=lambda shot: shot.name)
def test_pictures_are_shown_and_small(shot: Shot) -> None:
    """Each has a palette, is small, and stands in the page of the docs."""
    path = DOCS / shot.name
    assert path.stat().st_size < LARGEST
    assert f"]({shot.name})" in (DOCS / "dashboard.md").read_text(encoding="utf-8")
    with Image.open(path) as picture:
        assert picture.mode == "P"


@pytest.mark.asyncio(loop_scope="session")
async def test_script_makes_them(browser: Browser, tmp_path: Path) -> None:
    """It makes the same pictures, of the same size, with something on each."""
    await take(browser, tmp_path)
    for shot in SHOTS:
        with Image.open(tmp_path / shot.name) as made, Image.open(DOCS / shot.name) as kept:
            assert made.size == kept.size
            colours = made.convert("RGB").getcolors(made.width * made.height)
            assert colours is not None
            assert len(colours) > 20
