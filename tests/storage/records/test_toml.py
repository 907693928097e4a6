"""TOML, with the place of every value."""

from __future__ import annotations

import pytest

from storage.model import Declared
from storage.records import read_bytes

TEXT = '''\
# comment "website"
title = "a # b"
website = "https://a.example/\\u00e9" # here
related = [
  { url = 'https://b.example/' }, # one
  { images = [ { width = 3, url = "https://c.example/" } ] },
]
when = 1979-05-27 07:32:00
[twitter]
"url" = """
https://d.example/"""
[[images]]
url = "https://e.example/"
size.width = 1
[[images]]
url = \'\'\'https://f.example/\'\'\'
[images.meta]
website = "https://g.example/"
'''


def test_every_value_has_its_place() -> None:
    """Tables, arrays, inline tables and strings of all four kinds."""
    [record] = read_bytes("a.toml", TEXT.encode()).records
    lines = TEXT.split("\n")
    places = {link.field: (link.text, link.line, link.column) for link in record.links}
    assert places == {
        "website": ("https://a.example/é", 3, 12),
        "related[0].url": ("https://b.example/", 5, 12),
        "related[1].images[0].url": ("https://c.example/", 6, 36),
        "twitter.url": ("https://d.example/", 11, 1),
        "images[0].url": ("https://e.example/", 13, 8),
        "images[1].url": ("https://f.example/", 16, 10),
        "images[1].meta.website": ("https://g.example/", 18, 12),
    }
    assert all(lines[line - 1][column - 1 :].startswith("https") for _, line, column in places.values())
    assert record.links[2].declared == Declared(3)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\na = 2\n", 2),
        ("a = \n", 1),
        ("[a\n", 1),
        ("a = [" + "[" * 5000, 1),
        (f"a = 1\nb = {'9' * 5000}\n", 2),
    ],
)
def test_what_is_no_toml_is_one_problem(text: str, line: int) -> None:
    """The reason is in our words, with the line."""
    [problem] = read_bytes("a.toml", text.encode()).problems
    assert problem.line == line
    assert problem.reason.startswith(("not TOML: ", "nested"))


def test_windows_lines_and_an_empty_file() -> None:
    """CRLF moves no column; nothing is no record."""
    [record] = read_bytes("a.toml", b'title = 1\r\nwebsite = "https://a.example/"\r\n').records
    assert (record.links[0].line, record.links[0].column) == (2, 12)
    assert read_bytes("a.toml", b"# nothing\n").records == ()
