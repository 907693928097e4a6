"""Links and images of bodies, with their places."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.model import Kind
from storage.records import DEFAULT_RULES, Rules, read_bytes

BODY = Rules(DEFAULT_RULES.fields, body=True)
MARKDOWN = """\
---
website: https://front.example/
---
See [a](https://a.example/x "title"), <https://b.example/> and https://c.example/y_(z).
[![alt](https://pic.example/1.png)](https://d.example/) `https://code.example/`
[ref] and [ref] again, [same](https://a.example/x)

    https://indented.example/

> quoted [e](https://e.example/a\\_b&amp;c)

<img src="https://pic.example/2.png" srcset="https://pic.example/3.png 1x, https://pic.example/4.png 2x">

| a | b |
|---|---|
| [f](<https://f.example/with space>) | <a href='https://g.example/'>g</a> |

[mail](mailto:x@y.example) [part](#part) [page](other.md) [t]({{ site.url }}/x)

[ref]: https://ref.example/
[unused]: https://unused.example/
"""


def test_markdown_is_read_as_people_see_it() -> None:
    """Code is no link; each URL stands where it begins."""
    [record] = read_bytes("a.md", MARKDOWN.encode(), BODY).records
    links = [link for link in record.links if link.field == "body"]
    assert [(link.text, link.kind) for link in links] == [
        ("https://a.example/x", Kind.WEB),
        ("https://b.example/", Kind.WEB),
        ("https://c.example/y_(z)", Kind.WEB),
        ("https://pic.example/1.png", Kind.IMAGE),
        ("https://d.example/", Kind.WEB),
        ("https://a.example/x", Kind.WEB),
        ("https://e.example/a_b&c", Kind.WEB),
        ("https://pic.example/2.png", Kind.IMAGE),
        ("https://pic.example/3.png", Kind.IMAGE),
        ("https://pic.example/4.png", Kind.IMAGE),
        ("https://f.example/with space", Kind.WEB),
        ("https://g.example/", Kind.WEB),
        ("https://ref.example/", Kind.WEB),
        ("https://unused.example/", Kind.WEB),
    ]
    lines = MARKDOWN.split("\n")
    for link in links:
        assert lines[link.line - 1][link.column - 1 :].startswith(link.text[:18]), link
    assert len({(link.line, link.column) for link in links}) == len(links)
    assert record.links[0].text == "https://front.example/"


def test_bodies_are_ignored_unless_asked_for() -> None:
    """The default is what it was."""
    [record] = read_bytes("a.md", MARKDOWN.encode()).records
    assert [link.field for link in record.links] == ["website"]


def test_a_body_alone_is_a_record() -> None:
    """A text without front matter has links as well."""
    [record] = read_bytes("a.md", b"[a](https://a.example/)\n", BODY).records
    assert (record.links[0].line, record.links[0].column) == (1, 5)
    assert read_bytes("b.md", b"words\n", BODY).notice == "no front matter"


def test_html_is_read_by_its_elements() -> None:
    """References to letters are resolved; only what a reader follows or sees counts."""
    text = (
        '<!doctype html><link rel=stylesheet href="https://css.example/">\n'
        "<p>é<a\n  href = ' https://a.example/?x&amp;y'>a</a>\n"
        "<IMG SRC=https://pic.example/1><video poster='https://pic.example/2' src='https://v.example/'>\n"
        "<a href='#x'><a href='javascript:x()'><script>'<a href=\"https://no.example/\">'</script>\n"
    )
    [record] = read_bytes("a.html", text.encode(), BODY).records
    assert [(link.text, link.line, link.column) for link in record.links] == [
        ("https://a.example/?x&y", 3, 12),
        ("https://pic.example/1", 4, 10),
        ("https://pic.example/2", 4, 47),
        ("https://v.example/", 4, 75),
    ]


def test_relative_links_count_where_they_have_a_base() -> None:
    """Without one they would all be errors that nobody made."""
    text = b"[a](/a) [b](../b.md) [c](#c) [d](//d.example/)"
    rules = Rules({}, body=True, relative=True)
    [record] = read_bytes("a.md", text, rules).records
    assert [link.text for link in record.links] == ["/a", "../b.md", "//d.example/"]
    [record] = read_bytes("a.md", text, BODY).records
    assert [link.text for link in record.links] == ["//d.example/"]


@pytest.mark.parametrize(
    ("body", "reason"), [(b"x" * 80 + b"\n", "is not looked at"), (b"caf\xe9\n", "not UTF-8")]
)
def test_a_body_that_cannot_be_read_costs_no_front_matter(tmp_path: Path, body: bytes, reason: str) -> None:
    """It is a problem of its own, with its line."""
    size = 60_000 if reason.startswith("is") else 1
    document = read_bytes("a.md", b"---\nwebsite: https://a.example/\n---\n" + body * size, BODY)
    assert reason in document.problems[0].reason
    assert document.problems[0].line == 4
    assert len(document.records) == 1
    assert tmp_path.exists()
