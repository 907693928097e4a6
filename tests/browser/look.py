"""Looks at a page as a person would, and at what the browser says of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, ConsoleMessage, Dialog, Page

Theme: TypeAlias = Literal["light", "dark"]
SIZES: Final = {"phone": (390, 844), "tablet": (820, 1180), "desktop": (1440, 900)}
THEMES: Final[tuple[Theme, ...]] = ("light", "dark")
LOOKS: Final = [(size, theme) for size in SIZES for theme in THEMES]


@dataclass(eq=False)
class Look:
    """An open page, with what its console said and which URLs it asked for."""

    page: Page
    errors: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Write down from now on what goes wrong in the page, and what it asks for."""
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", self._stopped)
        self.page.on("request", lambda request: self.asked.append(request.url))

    def _heard(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.errors.append(said.text)

    async def _stopped(self, dialog: Dialog) -> None:
        self.errors.append(f"dialog: {dialog.message}")
        await dialog.dismiss()

    async def breaches(self) -> list[str]:
        """The rules of accessibility that the page breaks, each with the first place."""
        found = (await Axe().run(self.page)).response["violations"]
        return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]

    async def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        width: int = await self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return width

    def elsewhere(self, origin: str) -> list[str]:
        """What was asked of anybody but this origin."""
        return [url for url in self.asked if not url.startswith((origin, "data:"))]


@asynccontextmanager
async def looking(browser: Browser, size: str = "desktop", theme: Theme = "light") -> AsyncIterator[Look]:
    """Open an empty page of a size, in a theme."""
    width, height = SIZES[size]
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=theme,
        reduced_motion="reduce",
    )
    look = Look(await context.new_page())
    look.listen()
    try:
        yield look
    finally:
        await context.close()
