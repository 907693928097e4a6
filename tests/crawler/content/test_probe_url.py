"""URLs beside a page: its folder, by the text of the URL alone."""

from __future__ import annotations

import pytest

from crawler.content.probe_url import folder_of


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("http://a.example", "http://a.example/"),
        ("http://a.example/", "http://a.example/"),
        ("http://a.example/b", "http://a.example/"),
        ("http://a.example/b/", "http://a.example/b/"),
        ("http://a.example/b/c?x=/y#z/", "http://a.example/b/"),
        ("http://a.example?x=/y", "http://a.example/"),
        ("http://a.example#/b", "http://a.example/"),
        ("http://a.example:80/b;c/d", "http://a.example:80/b;c/"),
        ("http://[::1]/b//c", "http://[::1]/b//"),
        ("http://a.example//", "http://a.example//"),
    ],
)
def test_folder_of_a_page(url: str, folder: str) -> None:
    """All up to the last slash of the path, whatever slashes follow in a query."""
    assert folder_of(url) == folder
