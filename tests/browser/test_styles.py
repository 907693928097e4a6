"""What the pages look like depends on the screen in shape alone, and on the theme in colour."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from tests.program import ROOT

SHEETS: Final = [
    ROOT / "crawler" / "dashboard" / "static" / "style.css",
    ROOT / "crawler" / "report" / "formats" / "html" / "report.css",
]
OF_SIZE: Final = re.compile(
    r"@(?:media|container)[^{]*(?:width|height)[^{]*\{((?:[^{}]*\{[^{}]*\})*[^{}]*)\}"
)
COLOURS: Final = re.compile(r"(?:^|[;{\s])(?:color|background[\w-]*|fill|stroke|opacity|filter|--\w+)\s*:")


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_no_colour_depends_on_the_size_of_a_screen(sheet: Path) -> None:
    """So colours that are read on one screen can be read on all."""
    text = sheet.read_text(encoding="utf-8")
    assert [rules for rules in OF_SIZE.findall(text) if COLOURS.search(rules)] == []


def test_a_colour_of_a_size_is_noticed() -> None:
    """The test above sees what it looks for."""
    (rules,) = OF_SIZE.findall("@media (max-width: 9rem) { td { margin: 0; } th { color: red; } }")
    assert COLOURS.search(rules)
