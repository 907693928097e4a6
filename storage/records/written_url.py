"""A URL where it is written in a text."""

from __future__ import annotations

from typing import NamedTuple


class WrittenUrl(NamedTuple):
    """A URL, where it begins in its text (in letters, from 0), and whether it is an image's."""

    text: str
    offset: int
    is_image: bool = False
