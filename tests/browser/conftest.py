"""The browser: Debian's Chromium, one for all tests of a process."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Chromium without its sandbox, which root may not have."""
    program = shutil.which("chromium")
    if program is None:
        assert not os.environ.get("CI"), "chromium is missing, and CI must not skip its tests"
        pytest.skip("chromium is not on this machine: `make services` installs it")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()
