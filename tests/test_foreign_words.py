"""No sentence of a library or of a system decides for us: what others raise is told in our words.

Whatever is caught of another package, or handed on as an exception of any kind, gives its text to nobody
but the translators below; what those do not know stands in brackets behind words of ours.
"""

from __future__ import annotations

import ast
import builtins
import errno
import re
import socket
import sqlite3
import ssl
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from crawler.config.toml import toml_reason as toml_words
from crawler.fetch.transport.error_mapping import tls_fault
from crawler.fetch.transport.system_resolver import resolver_reason
from storage.db.driver_errors import driver_reason
from storage.errors import SYSTEM_REASONS, original, system_reason
from storage.records.json import json_reason as json_words
from storage.records.mistakes import yaml_reason as yaml_words

ROOT: Final = Path(__file__).parents[1]
FILES: Final = sorted(path for room in ("crawler", "storage") for path in (ROOT / room).rglob("*.py"))
HOME: Final = "storage/errors.py"
TRANSLATORS: Final = {
    "getattr",
    "driver_reason",
    "json_reason",
    "toml_line",
    "toml_meaning",
    "yaml_reason",
    "int",
    "isinstance",
    "original",
    "own_words",
    "resolver_reason",
    "system_reason",
}
# Attributes of an exception that hold words, and functions that make words of it.
WORDS: Final = frozenset(
    (
        "args",
        "context",
        "detail",
        "message",
        "msg",
        "orig",
        "problem",
        "reason",
        "stderr",
        "stdout",
        "strerror",
        "text",
        "verify_message",
    )
)
WORD_MAKERS: Final = frozenset({"ascii", "format", "repr", "str"})
CAUSES: Final = frozenset({"__cause__", "__context__", "cause", "orig"})
EXCEPTION_NAMES: Final = frozenset({"cause", "error", "exc", "failure", "fault"})
PRINTERS: Final = frozenset(
    {"critical", "debug", "echo", "error", "exception", "info", "join", "print", "warning", "write"}
)


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _trees() -> dict[str, ast.Module]:
    return {_name(path): ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


def _last(node: ast.AST | None) -> str:
    """The last part of a dotted name."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _ours(trees: dict[str, ast.Module]) -> set[str]:
    """The names of classes that the project defines, but for those that Python has, too."""
    nodes = (node for tree in trees.values() for node in ast.walk(tree))
    return {node.name for node in nodes if isinstance(node, ast.ClassDef)} - set(vars(builtins))


def _kinds(node: ast.AST | None) -> set[str]:
    """The classes that an except clause or an annotation names."""
    if node is None:
        return {"BaseException"}
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        node = ast.parse(node.value, mode="eval")
    return {_last(one) for one in ast.walk(node) if isinstance(one, ast.Name | ast.Attribute)} - {"ssl"}


def _is_exception(kind: str) -> bool:
    known = getattr(builtins, kind, None)
    return kind.endswith(("Error", "Exception")) or (
        isinstance(known, type) and issubclass(known, BaseException)
    )


def _foreign(tree: ast.Module, ours: set[str]) -> Iterator[tuple[str, list[ast.AST]]]:
    """Names that hold an exception of others, each with the nodes among which it does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.name and not _kinds(node.type) <= ours:
            yield node.name, [inner for one in node.body for inner in ast.walk(one)]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            parameters = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            for one in parameters:
                kinds = _kinds(one.annotation) - ours if one.annotation else set()
                if any(map(_is_exception, kinds)) or (
                    one.arg in {"exc", "error", "failure"} and "Any" in kinds
                ):
                    yield one.arg, [inner for part in node.body for inner in ast.walk(part)]


def _is_worded(node: ast.AST, name: str) -> bool:
    """Whether a node makes words of what a name holds."""
    if isinstance(node, ast.Attribute):
        return node.attr in WORDS and name in {_last(one) for one in ast.walk(node.value)}
    if isinstance(node, ast.FormattedValue):
        return _last(node.value) == name
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return name in {_last(one) for one in ast.walk(node.right)}
    if not isinstance(node, ast.Call):
        return False
    called, given = _last(node.func), {name for one in node.args for name in _names(one)}
    texts = {one.value for one in node.args[1:2] if isinstance(one, ast.Constant)}
    return name in given and (
        called in WORD_MAKERS | PRINTERS or (called == "getattr" and bool(WORDS & texts))
    )


def _names(node: ast.AST) -> set[str]:
    """The names whose values an expression may have itself."""
    if isinstance(node, ast.IfExp):
        return _names(node.body) | _names(node.orelse)
    if isinstance(node, ast.BoolOp):
        return {name for one in node.values for name in _names(one)}
    return {_last(node)}


def _aliases(name: str, nodes: list[ast.AST]) -> set[str]:
    """A name, and those that its exception, or the cause of that, is given in the same place."""
    names = {name}
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name | ast.Attribute):
            value = node.value
            bare = value.id if isinstance(value, ast.Name) else _last(value.value)
            if bare in names and (isinstance(value, ast.Name) or value.attr in CAUSES):
                names |= {_last(target) for target in node.targets}
    return names


def _leaks(tree: ast.Module, ours: set[str]) -> Iterator[tuple[int, str]]:
    holders = ((name, nodes) for first, nodes in _foreign(tree, ours) for name in _aliases(first, nodes))
    for name, nodes in holders:
        calls = [one for one in nodes if isinstance(one, ast.Call) and _last(one.func) in TRANSLATORS]
        inside = {id(inner) for call in calls for inner in ast.walk(call) if inner is not call}
        for node in nodes:
            if id(node) not in inside and _is_worded(node, name):
                yield getattr(node, "lineno", 0), ast.unparse(node)


def test_words_of_others_go_through_a_translator() -> None:
    """What is caught of others is never shown or compared as it is."""
    trees = _trees()
    ours = _ours(trees)
    found = {name: sorted(set(_leaks(tree, ours))) for name, tree in trees.items() if name != HOME}
    assert {name: lines for name, lines in found.items() if lines} == {}


LEAKS: Final = {
    "a formatted name": 'except OSError as exc:\n    raise Refused(f"no: {exc}") from exc',
    "a text of it": "except OSError as exc:\n    said = str(exc)",
    "an attribute": "except yaml.YAMLError as why:\n    said = why.problem",
    "an attribute of its cause": "except aiohttp.ClientError as exc:\n    said = exc.__cause__.strerror",
    "another name": "except OSError as exc:\n    cause = exc.__cause__\n    said = str(cause)",
    "one of ours among them": "except (Ours, OSError) as exc:\n    said = str(exc)",
    "a look at its words": 'except OSError as exc:\n    full = "no space" in str(exc)',
    "a choice": "except OSError as exc:\n    said = str(exc if exc else None)",
    "a default": "except OSError as exc:\n    said = str(exc or None)",
    "percent": 'except OSError as exc:\n    said = "no: %s" % exc',
    "a log": 'except OSError as exc:\n    LOG.warning("no: %s", exc)',
    "an attribute by name": 'except OSError as exc:\n    said = getattr(exc, "reason", None)',
}
FINE: Final = {
    "a translator": 'except OSError as exc:\n    raise Refused(f"no: {system_reason(exc)}") from exc',
    "brackets": 'except OSError as exc:\n    raise Refused(f"no{original(exc.strerror)}") from exc',
    "ours": "except Ours as exc:\n    said = str(exc)",
    "a number": "except OSError as exc:\n    code = exc.errno",
}


def _found(body: str) -> list[tuple[int, str]]:
    return list(_leaks(ast.parse(f"try:\n    act()\n{body}"), {"Ours"}))


@pytest.mark.parametrize("body", LEAKS.values(), ids=LEAKS)
def test_the_sweep_finds(body: str) -> None:
    """Each way in which words of others could be shown or compared is found."""
    assert _found(body) != []


@pytest.mark.parametrize("body", FINE.values(), ids=FINE)
def test_the_sweep_lets_pass(body: str) -> None:
    """What is translated, stands in brackets, or is ours, is no leak."""
    assert _found(body) == []


def test_a_function_that_takes_an_exception_is_swept() -> None:
    """Words cannot leak through a function that is handed the exception."""
    body = "def tell(exc: Exception | None) -> str:\n    return str(exc)"
    assert list(_leaks(ast.parse(body), set())) != []


def _inside(node: ast.JoinedStr) -> Iterator[bool]:
    """Of each `original(...)` in a text: whether words, or a value of ours, stand before it."""
    before = False
    for part in node.values:
        call = part.value if isinstance(part, ast.FormattedValue) else None
        if isinstance(call, ast.Call) and _last(call.func) == "original":
            yield before
        before = before or isinstance(part, ast.FormattedValue) or bool(re.search(r"\w", ast.unparse(part)))


def test_words_of_others_stand_behind_ours() -> None:
    """What others say is in brackets at the end; a sentence never begins with it."""
    nodes = [(name, node) for name, tree in _trees().items() for node in ast.walk(tree)]
    texts = [(name, node) for name, node in nodes if isinstance(node, ast.JoinedStr)]
    assert [name for name, node in texts for fine in _inside(node) if not fine] == []


NONSENSE: Final = "Wbl qrx: zzz"
TRANSLATED: Final[dict[str, Callable[[], str]]] = {
    "the system": lambda: system_reason(OSError(9999, NONSENSE)),
    "a database": lambda: driver_reason(sqlite3.OperationalError(NONSENSE)),
    "a resolver": lambda: resolver_reason(socket.gaierror(9999, NONSENSE)),
    "YAML": lambda: yaml_words([NONSENSE], ""),
    "JSON": lambda: json_words(NONSENSE),
    "TOML": lambda: toml_words(tomllib.TOMLDecodeError(NONSENSE), ""),
    "TLS": lambda: str(tls_fault(ssl.SSLError(1, NONSENSE))),
}


@pytest.mark.parametrize("translated", TRANSLATED.values(), ids=TRANSLATED)
def test_what_nobody_knows_stands_in_brackets(translated: Callable[[], str]) -> None:
    """A sentence that no table knows follows words of ours, in brackets, at the end."""
    text = translated()
    assert re.fullmatch(r"[a-zA-Z][^()]+ \([^()]*Wbl qrx: zzz[^()]*\)", text), text


def test_a_system_is_told_by_its_numbers() -> None:
    """Our words hang on the number alone, whatever the system says of it, in whichever language."""
    for number, words in SYSTEM_REASONS.items():
        assert system_reason(OSError(number, "Auf dem Geraet ist kein Platz")).startswith(f"{words} (")
    assert system_reason(OSError(errno.ENOSPC, "")).startswith("the disk is full")


@pytest.mark.parametrize("said", ["", " ", "\n"])
def test_nothing_said_leaves_no_brackets(said: str) -> None:
    """Where others say nothing there is nothing to show."""
    assert original(said) == ""
