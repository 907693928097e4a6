"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.bucket import bucket

__all__ = ["bucket", "corpus", "pytest_addoption"]
ROOT = Path(__file__).parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of our own."""
    parser.addoption("--kills", type=int, default=3, help="how often to kill the program, each time anew")


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real material, beside the project; in CI it has to be there."""
    folder = Path(os.environ.get("LINKHEALTH_CORPUS", ROOT.parent / "shared" / "corpus"))
    if not folder.is_dir():
        assert not os.environ.get("CI"), f"{folder} is missing, and CI must not skip its tests"
        pytest.skip(f"the corpus is not on this machine ({folder})")
    return folder
