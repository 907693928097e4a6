"""Names say what they hold, in one meaning a word."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from tests.vocabulary import bindings_without_noun, constants, constants_without_noun, tuple_assignments

ROOT: Final = Path(__file__).parents[1]
FILES: Final = sorted(path for room in ("crawler", "storage") for path in (ROOT / room).rglob("*.py"))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_names_are_nouns(path: Path) -> None:
    """No pronoun, no bare participle, no constant without a noun, no attributes in one line."""
    tree = _tree(path)
    assert [*bindings_without_noun(tree)] == []
    assert [*constants_without_noun(tree)] == []
    assert [*tuple_assignments(tree)] == []


def test_a_class_is_defined_once() -> None:
    """A search for a class has one answer."""
    classes = Counter(
        node.name for path in FILES for node in ast.walk(_tree(path)) if isinstance(node, ast.ClassDef)
    )
    assert {name: count for name, count in classes.items() if count > 1} == {}


def test_a_constant_is_defined_once() -> None:
    """A search for a constant has one answer, too."""
    names = Counter(name for path in FILES for name, _ in constants(_tree(path)))
    assert {name: count for name, count in names.items() if count > 1} == {}


@pytest.mark.parametrize(
    "code",
    [
        "for one in links: pass",
        "def f(found: list[str]) -> None: ...",
        "def f(*, _asked: int) -> None: ...",
        "with a as held: pass",
        "try: pass\nexcept E as failed: pass",
        "match a:\n    case [kept, *_]: pass",
        "rows = [left for left in links]",
        "if (wanted := 1): pass",
    ],
)
def test_a_binding_without_noun_is_found(code: str) -> None:
    """Wherever Python binds a name."""
    assert len([*bindings_without_noun(ast.parse(code))]) == 1


@pytest.mark.parametrize(
    "code",
    ["def f(closed: bool) -> None: ...", "seed = feed = 1", "declared = 1", "class A:\n    kept: int"],
)
def test_a_binding_that_says_enough(code: str) -> None:
    """Flags, nouns, words of the contract and fields are none."""
    assert [*bindings_without_noun(ast.parse(code))] == []


@pytest.mark.parametrize(
    "code", ["LONGEST = {}", "_AGAIN = 0", "KNOWN = ()", "THREADS = 32", "SIZE: Final = 2 * 1024", "FEW = 3"]
)
def test_a_constant_without_noun_or_unit_is_found(code: str) -> None:
    """A superlative is no noun, and a number has a unit."""
    assert len([*constants_without_noun(ast.parse(code))]) == 1


def test_attributes_in_a_tuple_are_found() -> None:
    """A line each can be searched for."""
    assert len([*tuple_assignments(ast.parse("self.a, self.b = 1, 2\na, b = 1, 2"))]) == 1
