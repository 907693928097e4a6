"""Streams, line counting, aliases and merge keys of YAML."""

from __future__ import annotations

import pytest

from storage.model import Declared, Document
from storage.records import read_bytes


def _read(text: str) -> Document:
    return read_bytes("a.yaml", text.encode())


def _links(text: str) -> list[tuple[str, str, int, int]]:
    return [
        (link.field, link.text, link.line, link.column)
        for record in _read(text).records
        for link in record.links
    ]


@pytest.mark.parametrize(
    "broken",
    [
        "title: a: b",
        'title: "open',
        "list: [a, b",
        "- a\n- [b",
        "title: *nothing",
        "website: no\n  title: no",
        "x: " + "[" * 150,
        "%BAD",
    ],
)
def test_documents_around_a_broken_one_are_read(broken: str) -> None:
    """Each document of a stream stands for itself, with lines of the file."""
    before = "website: https://first.example/\n---\n"
    after = "\n---\nwebsite: https://third.example/\n--- \nwebsite: https://fourth.example/\n"
    document = _read(before + broken + after)
    line = 3 + broken.count("\n") + 2
    assert [(link.text, link.line) for record in document.records for link in record.links] == [
        ("https://first.example/", 1),
        ("https://third.example/", line),
        ("https://fourth.example/", line + 2),
    ]
    assert [record.index for record in document.records] == [0, 1, 2]
    assert document.problems
    assert all(3 <= (problem.line or 0) <= line for problem in document.problems)


@pytest.mark.parametrize("separator", ["\x85", "\u2028", "\u2029"])
@pytest.mark.parametrize("style", ['"{}"', "'{}'", "{}", "|\n  {}", ">-\n  {}", "[{}]"])
def test_separators_of_unicode_end_no_line(separator: str, style: str) -> None:
    """A link behind one stands where an editor shows it."""
    text = f"title: {style.format(f'a{separator}b')}\nwebsite: https://a.example/\n"
    line = text.count("\n")
    assert _links(text) == [("website", "https://a.example/", line, 10)]


def test_a_url_keeps_the_separators_it_has() -> None:
    """What hid them from the parser is not in the text."""
    assert _links("website: https://a.example/\ue000\u2028x\n")[0][1] == "https://a.example/\ue000\u2028x"


def test_a_lone_carriage_return_is_no_line_of_an_editor() -> None:
    """It may end a value, and moves no line number."""
    assert _links('title: "a\rb"\nwebsite: https://a.example/\n') == [
        ("website", "https://a.example/", 2, 10)
    ]


def test_merge_keys_count_as_what_they_bring() -> None:
    """A mapping's own keys win, then the first that is merged."""
    text = (
        "small: &small {url: https://pic.example/s, width: 3, height: 4}\n"
        "large: &large\n  width: 30\n  height: 40\n"
        "images:\n"
        "- <<: *small\n"
        "- {<<: *small, width: 5}\n"
        "- url: https://pic.example/l\n  <<: [*large, *small]\n"
    )
    [record] = _read(text).records
    assert [(link.field, link.text, link.line, link.declared) for link in record.links] == [
        ("images[0].url", "https://pic.example/s", 1, Declared(3, 4)),
        ("images[1].url", "https://pic.example/s", 1, Declared(5, 4)),
        ("images[2].url", "https://pic.example/l", 8, Declared(30, 40)),
    ]


def test_merges_of_merges_and_aliases_of_whole_lists_count() -> None:
    """However a value came to a place, it counts there."""
    text = (
        "a: &a {website: https://a.example/}\nb: &b {<<: *a, title: x}\n"
        "c: {<<: *b}\nimages: &i [{url: &u https://pic.example/}]\nrelated: [{images: *i}, {website: *u}]\n"
    )
    fields = {field for field, *_ in _links(text)}
    assert fields == {
        "a.website",
        "b.website",
        "c.website",
        "images[0].url",
        "related[0].images[0].url",
        "related[1].website",
    }


def test_a_quoted_merge_key_is_a_key() -> None:
    """Only a plain `<<` merges."""
    assert _links("a: &a {website: https://a.example/}\nb: {'<<': *a}\n")[1][0] == "b.<<.website"


def test_nesting_below_a_merge_key_is_bounded() -> None:
    """What is too deep is refused, whoever resolves it."""
    document = _read("a: &a {b: c}\nd: {<<: *a, e: " + "[" * 200 + "]" * 200 + "}\n")
    assert "deeper" in document.problems[0].reason
