"""Front matter in every language and dress that site generators read."""

from __future__ import annotations

import pytest

from storage.model import Declared
from storage.records import read_bytes

BANK = "https://bank.example/"


def _place(text: str, name: str = "a.md") -> tuple[str, int, int]:
    document = read_bytes(name, text.encode())
    assert document.problems == ()
    [record] = document.records
    [link] = record.links
    return link.text, link.line, link.column


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        (f"\n\n---\nwebsite: {BANK}\n---\n", 4, 10),
        (f"<!-- two\nlines -->\n---\nwebsite: {BANK}\n---\n", 4, 10),
        (f"{{/* of MDX */}}\n\n---\nwebsite: {BANK}\n---\n", 4, 10),
        (f"// of AsciiDoc\n---\nwebsite: {BANK}\n---\n", 3, 10),
        (f"--- # of the site\nwebsite: {BANK}\n--- # end\n", 2, 10),
        (f"---yaml\nwebsite: {BANK}\n...\n", 2, 10),
        (f"---\rtitle: x\rwebsite: {BANK}\r---\rbody\r", 3, 10),
        (f'+++\n[site]\nwebsite = "{BANK}"\n+++\nbody', 3, 12),
        (f'---toml\nwebsite = "{BANK}"\n---\n', 2, 12),
        (f';;;json\n{{"website": "{BANK}"}}\n;;;\n', 2, 14),
        (f';;;\n"title": 1,\n"website": "{BANK}"\n;;;\nbody', 3, 13),
        (f'\n{{ "title": 1,\n"website": "{BANK}" }}\n\nbody {{', 3, 13),
        (f"\ufeff---\nwebsite: {BANK}\n---\n", 2, 10),
    ],
)
def test_front_matter_is_read_wherever_it_begins(text: str, line: int, column: int) -> None:
    """Blank lines, comments, other fences and other line ends hide none of it."""
    assert _place(text) == (BANK, line, column)


@pytest.mark.parametrize("name", ["a.mdx", "a.qmd", "a.rst", "a.adoc", "a.txt", "a.html", "a.markdown"])
def test_every_text_may_have_front_matter(name: str) -> None:
    """All texts are read as Markdown is."""
    assert _place(f"---\nwebsite: {BANK}\n---\n", name)[0] == BANK


@pytest.mark.parametrize(
    "text",
    ["", "# Title\n\n---\n\nA rule above.\n\n---\n", "{{< shortcode >}}\n", "{% include x %}\n", "Words.\n"],
)
def test_a_text_without_front_matter_says_so(text: str) -> None:
    """It is no record and no problem, and it is counted."""
    document = read_bytes("a.md", text.encode())
    assert (document.records, document.problems, document.notice) == ((), (), "no front matter")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("---\nwebsite: x\n", 1),
        ("\n\n---\nwebsite: x\n", 3),
        ("+++\nwebsite = 'x'\n", 1),
        ("\n+++\nwebsite =\n+++\n", 3),
        ("---\nwebsite: a: b\n---\n", 2),
        ('{"website": }\n', 1),
    ],
)
def test_broken_front_matter_is_a_problem_with_its_line(text: str, line: int) -> None:
    """It began, so it is never passed over."""
    document = read_bytes("a.md", text.encode())
    [problem] = document.problems
    assert (document.records, problem.line) == ((), line)


def test_sizes_beside_an_image_are_read_from_toml() -> None:
    """A table of TOML is a mapping like any other."""
    text = '+++\n[[images]]\nwidth = 30\nurl = "https://pic.example/a"\nheight = "20"\n+++\n'
    [record] = read_bytes("a.md", text.encode()).records
    assert record.links[0].declared == Declared(30, 20, None)
