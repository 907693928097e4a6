"""The browser: Debian's Chromium, one for all tests, each with a profile of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.browser.town import build, dashboard


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Start Chromium without its sandbox, which root may not have."""
    program = shutil.which("chromium")
    if program is None:
        assert not os.environ.get("CI"), "chromium is missing, and CI must not skip its tests"
        pytest.skip("chromium is not on this machine: `make services` installs it")
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        await started.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a database with everything in it; nobody writes there."""
    folder = tmp_path_factory.mktemp("town")
    await build(folder)
    return folder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def town_origin(town: Path) -> AsyncIterator[str]:
    """Where the dashboard of the town is, for all tests that only look."""
    async with dashboard(town) as origin:
        yield origin
