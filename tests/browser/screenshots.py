"""Makes the pictures of the dashboard that the docs show: python -m tests.browser.screenshots [FOLDER]."""

from __future__ import annotations

import asyncio
import io
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.async_api import Browser, async_playwright

from tests.browser.look import SIZES, Look, Theme, looking
from tests.browser.town import dashboard
from tests.browser.village import build

DOCS: Final = Path(__file__).parents[2] / "docs"
COLOURS: Final = 96


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: its name, what it shows, and how; `height` in pixels."""

    name: str
    path: str
    size: str
    theme: Theme
    height: int


SHOTS: Final = (
    Shot("dashboard-overview.png", "/", "desktop", "light", 1060),
    Shot("dashboard-images.png", "/images", "desktop", "dark", 900),
    Shot("dashboard-phone.png", "/links", "phone", "light", 844),
)


async def take(browser: Browser, folder: Path) -> None:
    """Write every picture into a folder."""
    with tempfile.TemporaryDirectory() as place:
        build(Path(place))
        async with dashboard(Path(place)) as origin:
            for shot in SHOTS:
                async with looking(browser, shot.size, shot.theme) as look:
                    await look.page.goto(origin + shot.path, wait_until="load")
                    (folder / shot.name).write_bytes(small(await _taken(look, shot)))


async def _taken(look: Look, shot: Shot) -> bytes:
    """The upper part of a page, as a PNG."""
    width, _ = SIZES[shot.size]
    return await look.page.screenshot(
        full_page=True, clip={"x": 0, "y": 0, "width": width, "height": shot.height}
    )


def small(picture: bytes) -> bytes:
    """The same picture with a palette, which takes a fraction of the bytes."""
    out = io.BytesIO()
    few = Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(out, "PNG", optimize=True)
    return out.getvalue()


async def main(folder: Path) -> None:
    """Start Debian's Chromium, and take the pictures."""
    async with async_playwright() as playwright:
        program = shutil.which("chromium")
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        await take(browser, folder)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS))
