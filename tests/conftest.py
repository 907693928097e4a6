"""What every test may ask for."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest

from tests.bucket import bucket

__all__ = ["bucket", "corpus", "pytest_addoption"]
ROOT = Path(__file__).parents[1]
# Folders whose tests cannot even be read without a package that not every installation has.
NEEDED_PACKAGES: Final = {"browser": "playwright", "crawler/cluster": "psycopg"}
# Tests start the program a thousand times: its modules are compiled once, whatever the shell asks.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
collect_ignore = [folder for folder, package in NEEDED_PACKAGES.items() if find_spec(package) is None]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of our own."""
    parser.addoption("--kills", type=int, default=3, help="how often to kill the program, each time anew")


def pytest_report_header() -> list[str]:
    """Name the folders that are left out here."""
    return [f"tests/{folder} is left out: no {NEEDED_PACKAGES[folder]} here" for folder in collect_ignore]


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real material, beside the project; in CI it has to be there."""
    folder = Path(os.environ.get("LINKHEALTH_CORPUS", ROOT.parent / "shared" / "corpus"))
    if not folder.is_dir():
        assert not os.environ.get("CI"), f"{folder} is missing, and CI must not skip its tests"
        pytest.skip(f"the corpus is not on this machine ({folder})")
    return folder
