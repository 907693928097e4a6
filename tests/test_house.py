"""The rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
ROOMS: Final = ("crawler", "linkhealth", "storage")
FILES: Final = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
LONGEST_FUNCTION: Final = 40  # lines
LONGEST_FILE: Final = 250  # lines
# A list of words or rows is no code: it may be as long as it is.
TABLES: Final = {"storage/model.py", "storage/db/schema.py"}
# They stand in the place of aiohttp's own methods, whose arguments they pass on unread.
PASSING_ON: Final = {
    "crawler/fetch/transport/connector.py",
    "crawler/fetch/transport/idle_connections.py",
    "crawler/fetch/transport/response_limits.py",
}
PROMISES: Final = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|for now\b", re.IGNORECASE)
Function = ast.FunctionDef | ast.AsyncFunctionDef


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _functions(path: Path) -> Iterator[Function]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, Function))


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_functions_and_files_are_short(path: Path) -> None:
    """A function fits on a screen, and a file has one subject."""
    long = {f.name: f.end_lineno - f.lineno + 1 for f in _functions(path) if f.end_lineno is not None}
    steps = "migrations" in path.parts  # a migration is one list of steps
    assert steps or {name: lines for name, lines in long.items() if lines > LONGEST_FUNCTION} == {}
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST_FILE or _name(path) in TABLES


def _hints(function: Function) -> Iterator[ast.expr | None]:
    every = function.args
    arguments = (*every.posonlyargs, *every.args, *every.kwonlyargs, every.vararg, every.kwarg)
    yield from (argument.annotation for argument in arguments if argument is not None)
    yield function.returns


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_signatures_say_their_types(path: Path) -> None:
    """`Any` in a signature switches the type checker off for all who call it."""
    hints = {f.name: [ast.unparse(hint) for hint in _hints(f) if hint is not None] for f in _functions(path)}
    anything = {name for name, texts in hints.items() if any(re.search(r"\bAny\b", text) for text in texts)}
    assert anything == set() or _name(path) in PASSING_ON


@pytest.mark.parametrize("path", [*FILES, *sorted((ROOT / "docs").glob("*.md"))], ids=_name)
def test_nothing_is_put_off(path: Path) -> None:
    """What is not done is an issue, not a word in a file."""
    found = [line for line in path.read_text(encoding="utf-8").splitlines() if PROMISES.search(line)]
    assert found == []


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_only_rooms_for_people_print(path: Path) -> None:
    """Data goes through `report`, words through click and the observer."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    prints = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]
    assert not prints or _name(path) == "crawler/progress/lines.py" or path.parent.name == "demo"


def _sleeps(path: Path) -> Iterator[int]:
    """Lines that wait by the clock: a literal number of seconds, but for 0, given to a sleep."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        first = node.args[0]
        if name == "sleep" and isinstance(first, ast.Constant) and first.value:
            yield node.lineno


def test_tests_do_not_wait_by_the_clock() -> None:
    """A test waits for an event, or on virtual time."""
    virtual = {"tests/crawler/lanes/test_scheduler.py", "tests/crawler/engine/test_run.py"}
    paths = [path for path in (ROOT / "tests").rglob("*.py") if _name(path) not in virtual]
    found = {_name(path): list(_sleeps(path)) for path in paths}
    assert {name: lines for name, lines in found.items() if lines} == {}
