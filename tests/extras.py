"""Tests that need a package of an extra, which a plain installation lacks."""

from __future__ import annotations

from importlib.util import find_spec

import pytest


def needs(package: str) -> pytest.MarkDecorator:
    """Skip a test, or a case, where a package is not installed."""
    return pytest.mark.skipif(find_spec(package) is None, reason=f"{package} is of an extra")
