"""Descriptors that are held back are there when all others are taken."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator

import pytest

from crawler.engine.descriptor_reserve import DescriptorReserve, lacks_descriptors
from storage.errors import CacheError


@pytest.fixture
def few() -> Iterator[None]:
    """A limit that is soon reached."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def open_all(taken: list[int]) -> None:
    """Open files until no more can be opened."""
    while True:
        taken.append(os.open(os.devnull, os.O_RDONLY))


@pytest.mark.usefixtures("few")
def test_a_loan_at_the_limit() -> None:
    """Where no file can be opened any more, a loan lets some be opened."""
    reserve = DescriptorReserve(32)
    taken: list[int] = []
    try:
        with pytest.raises(OSError, match="Too many") as refused:
            open_all(taken)
        with reserve.lent():
            for _ in range(8):
                os.close(os.open(os.devnull, os.O_RDONLY))
    finally:
        for descriptor in taken:
            os.close(descriptor)
        reserve.close()
    error = CacheError("cache: too many files are open")
    error.__cause__ = refused.value
    assert lacks_descriptors(error)
    assert not lacks_descriptors(CacheError("cache: the disk is full"))
