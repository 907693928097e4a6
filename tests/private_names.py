"""What a file of the code uses of other packages although they do not promise it, by its syntax tree."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from pkgutil import resolve_name
from textwrap import dedent
from typing import Final

OURS: Final = ("crawler", "linkhealth", "storage")
# Where packages keep what they promise; a module that is not named here is taken for private.
PUBLIC_MODULES: Final = frozenset(
    {
        *("aiohttp.abc", "aiohttp.web", "alembic.config", "click.shell_completion"),
        *("markdown_it.token", "msgspec.structs", "pyarrow.parquet"),
        *("rich.console", "rich.progress", "rich.table", "rich.text"),
        *("sqlalchemy.dialects", "sqlalchemy.engine.interfaces", "sqlalchemy.exc", "sqlalchemy.types"),
    }
)
# Named tuples and SQLAlchemy's rows document these, underscore and all.
PUBLIC_NAMES: Final = frozenset({"_asdict", "_fields", "_make", "_mapping", "_replace"})
CALLED: Final = frozenset({"getattr", "hasattr", "setattr"})


def _assigned(node: ast.AST) -> Iterator[str]:
    """The names that methods give to `self`."""
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store) and _is(part.value, "self"):
            yield part.attr


def _is(node: ast.expr, *names: str) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def _tree_of(thing: object) -> ast.AST:
    return ast.parse(dedent(inspect.getsource(thing)))  # type: ignore[arg-type]  # a class or a function


def has(owner: object, name: str) -> bool:
    """Whether a class, a module or a function has a name: its own, one of its instances, one it takes."""
    if hasattr(owner, name):
        return True
    if not isinstance(owner, type):
        return any(isinstance(n, ast.Constant) and n.value == name for n in ast.walk(_tree_of(owner)))
    sources = (
        kind for kind in owner.__mro__ if kind.__module__.partition(".")[0] not in sys.stdlib_module_names
    )
    return any(name in _assigned(_tree_of(kind)) for kind in sources)


class SourceFile:
    """One file of the code: what it calls by which name, and what it uses that nobody promises."""

    def __init__(self, text: str) -> None:
        self._tree = ast.parse(text)
        self._names = dict(self._imported())

    def _imported(self) -> Iterator[tuple[str, str]]:
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Import):
                yield from ((alias.asname or alias.name, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    yield alias.asname or alias.name, f"{node.module}.{alias.name}"

    def packages(self) -> set[str]:
        """The first names of the packages of others that are imported, wherever in the file."""
        return {name.partition(".")[0] for name in self._names.values() if _is_foreign(name)}

    def words(self) -> Iterator[str]:
        """Every attribute, import and text: what is not among them is not used."""
        yield from (name.rpartition(".")[2] for name in self._names.values())
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Attribute):
                yield node.attr
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node.name
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value

    def private(self) -> Iterator[str]:
        """The last part of each name of another package that is used without a promise."""
        yield from (name.rpartition(".")[2] for name in self._names.values() if _is_private(name))
        for node in ast.walk(self._tree):
            yield from (name for name in _reached(node) if re.match(r"_[^_]", name))
            if isinstance(node, ast.ClassDef):
                yield from self._inherited(node)

    def _inherited(self, node: ast.ClassDef) -> Iterator[str]:
        """What a class takes from, or gives to, a base of another package."""
        for base in node.bases:
            name = self._names.get(ast.unparse(base).partition(".")[0], "")
            if not _is_foreign(name):
                continue
            dotted = ".".join([name, *ast.unparse(base).partition("[")[0].split(".")[1:]])
            owner = resolve_name(dotted)
            hidden = _is_private(dotted)
            touched = {name for name in _touched(node) if not name.startswith("__")}
            yield from (name for name in touched if (hidden or name.startswith("_")) and has(owner, name))


def _is_foreign(name: str) -> bool:
    top = name.partition(".")[0]
    return bool(top) and top not in {*OURS, *sys.stdlib_module_names}


def _is_private(name: str) -> bool:
    """Whether an import reaches into a package: below its first floor, or by an underscore."""
    module = name.rpartition(".")[0]
    below = "." in module and module not in PUBLIC_MODULES
    return _is_foreign(name) and (below or any(re.match(r"_[^_]", part) for part in name.split(".")))


def _touched(node: ast.ClassDef) -> Iterator[str]:
    """The names of a class that it defines, or asks of itself or of its bases."""
    for part in ast.walk(node):
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            yield part.name
        elif isinstance(part, ast.Attribute) and (
            _is(part.value, "self", "cls") or ast.unparse(part.value) == "super()"
        ):
            yield part.attr


def _reached(node: ast.AST) -> Iterator[str]:
    """The names by which a piece of code reaches into another object, however it spells them."""
    if isinstance(node, ast.Attribute) and not _is(node.value, "self", "cls"):
        yield from {node.attr} - PUBLIC_NAMES
    elif isinstance(node, ast.Dict):
        yield from (str(key.value) for key in node.keys if isinstance(key, ast.Constant))
    elif isinstance(node, ast.keyword):
        yield node.arg or ""
    elif isinstance(node, ast.Call) and _is(node.func, *CALLED) and isinstance(node.args[1], ast.Constant):
        yield str(node.args[1].value)
