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
# Rules of accessibility that colours can break. No colour depends on the size of a screen (test_styles), so
# one size is enough for these, which take most of the time, and one theme for all others.
COLOUR_RULES: Final = ("color-contrast", "link-in-text-block")


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

    async def resize(self, size: str) -> None:
        """Make the window one of a size."""
        width, height = SIZES[size]
        await self.page.set_viewport_size({"width": width, "height": height})

    async def screens(self) -> AsyncIterator[str]:
        """Show the page on every screen."""
        for size in SIZES:
            await self.resize(size)
            yield size

    async def breaches(self) -> list[str]:
        """The rules of accessibility that the page breaks as it is shown, each with the first place."""
        return await self._breaches({})

    async def breaches_of_shape(self) -> list[str]:
        """The same, of the rules that no colour can break."""
        return await self._breaches({"rules": {rule: {"enabled": False} for rule in COLOUR_RULES}})

    async def breaches_of_colour(self) -> list[str]:
        """The same, of colours in every theme."""
        breaches = []
        for theme in THEMES:
            await self.page.emulate_media(color_scheme=theme)
            breaches += await self._breaches({"runOnly": COLOUR_RULES})
        return breaches

    async def _breaches(self, options: dict[str, object]) -> list[str]:
        answer = await Axe().run(self.page, options={"resultTypes": ["violations"], **options})
        found = answer.response["violations"]
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
