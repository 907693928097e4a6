"""Lists of URLs, and what comes on standard input."""

from __future__ import annotations

import gzip

import pytest

from storage.records import read_bytes


def test_a_text_of_urls_is_a_list() -> None:
    """Comments and blank lines apart; a text of words is none."""
    [record] = read_bytes("a.txt", b"# mine\nhttps://a.example/\n\n  http://b.example/x\n").records
    assert [(link.text, link.line, link.column) for link in record.links] == [
        ("https://a.example/", 2, 1),
        ("http://b.example/x", 4, 3),
    ]
    assert read_bytes("a.txt", b"https://a.example/ is dead\n").records == ()


@pytest.mark.parametrize(
    ("data", "texts"),
    [
        (b"https://a.example/\nhttps://b.example/\n", ["https://a.example/", "https://b.example/"]),
        (b"# list\nhttps://a.example/\n", ["https://a.example/"]),
        (
            b'{"website": "https://a.example/"}\n{"website": "https://b.example/"}\n',
            ["https://a.example/", "https://b.example/"],
        ),
        (b'{\n "website": "https://a.example/"\n}\n', ["https://a.example/"]),
        (b'[{"website": "https://a.example/"}]', ["https://a.example/"]),
        (b"---\nwebsite: https://a.example/\n", ["https://a.example/"]),
        (b"website: https://a.example/\n", ["https://a.example/"]),
        (b'+++\nwebsite = "https://a.example/"\n+++\n', ["https://a.example/"]),
        (b"<urlset><url><loc>https://a.example/</loc></url></urlset>", ["https://a.example/"]),
        (b'# of the site\nwebsite = "https://a.example/"\n', ["https://a.example/"]),
        (b'[site]\nwebsite = "https://a.example/"\n', ["https://a.example/"]),
        (b"# of the site\n- website: https://a.example/\n", ["https://a.example/"]),
        (b"title,website\nx,https://a.example/\n", ["https://a.example/"]),
        (b"title\twebsite\nx: y\thttps://a.example/\n", ["https://a.example/"]),
        (gzip.compress(b'{"website": "https://a.example/"}'), ["https://a.example/"]),
        (b"", []),
    ],
)
def test_standard_input_is_read_by_what_it_holds(data: bytes, texts: list[str]) -> None:
    """Records in any language, or a list."""
    document = read_bytes("-", data)
    assert [link.text for record in document.records for link in record.links] == texts
    assert document.problems == ()


def test_a_line_that_is_no_url_is_a_problem() -> None:
    """The others of the list go on."""
    document = read_bytes("-", b"https://a.example/\nnothing\n")
    assert [problem.line for problem in document.problems] == [2]
    assert len(document.records) == 1
