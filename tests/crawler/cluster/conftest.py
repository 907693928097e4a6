"""A database server for each test, which it may stop as it likes."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.storage import postgres


@pytest.fixture
def server() -> Iterator[postgres.Server]:
    """A server of the test's own."""
    why = postgres.missing()
    if why:
        assert not os.environ.get("CI"), f"{why}, and CI must not skip its tests"
        pytest.skip(why)
    with postgres.served() as served:
        yield served
