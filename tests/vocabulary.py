"""The words of the house, as rules that the syntax tree of a module keeps or breaks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# No noun: whoever reads the name does not know what it holds.
PRONOUNS: Final = _words("""
    one ones it them they who whom whose what which this that these those other others another both
    all_ each every any_ some something anything nothing none everything somebody nobody anybody
    someone such same own mine ours theirs more most few less least many much rest whole here there
    then
""")
IRREGULAR_PARTICIPLES: Final = _words("""
    found said told kept known given gone left seen taken held hung heard sent done made met got
    broken chosen spoken drawn shown thrown grown bought brought thought caught taught built felt
    lost won spent begun meant paid sold stood understood worn torn hidden forgotten fallen eaten
    driven risen frozen stolen sworn beaten blown flown laid lain led lent slept swept stuck struck
""")
NOUNS_LIKE_PARTICIPLES: Final = _words("bed breed creed deed embed feed greed need reed seed shed speed weed")
# Words of the contract: keys that users write or read.
CONTRACT_WORDS: Final = frozenset({"cached", "declared", "expected"})
ADJECTIVES: Final = re.compile(
    r"[a-z]+est|full|empty|short|long|small|large|plain|often|soon|late|early|enough|patience|never|always|further|beyond"
    r"|apart|once|twice|first|last|next|cheap|fresh|again"
)
NOUNS_LIKE_SUPERLATIVES: Final = frozenset({"digest", "request", "test", "manifest", "latest"})
CONSTANT: Final = re.compile(r"_?[A-Z][A-Z0-9_]*")
NUMBER: Final = re.compile(r"[\d_.]+( *(\*\*?|[+-]|<<) *[\d_.]+)*")

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def is_no_noun(name: str) -> bool:
    """Whether a name is a pronoun or a bare participle."""
    word = name.strip("_")
    if word in CONTRACT_WORDS or word in NOUNS_LIKE_PARTICIPLES:
        return False
    return word in PRONOUNS or word in IRREGULAR_PARTICIPLES or bool(re.fullmatch(r"[a-z]+ed", word))


def bindings_without_noun(tree: ast.Module) -> Iterator[str]:
    """Locals and parameters that do not say what they hold; a flag may be an adjective."""
    for line, name in [*_parameters(tree), *_locals(tree)]:
        if is_no_noun(name):
            yield f"line {line}: {name}"


def constants(tree: ast.Module) -> Iterator[tuple[str, ast.expr | None]]:
    """The constants of a module with their values."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            if isinstance(target, ast.Name) and CONSTANT.fullmatch(target.id):
                yield target.id, getattr(node, "value", None)


def constants_without_noun(tree: ast.Module) -> Iterator[str]:
    """Constants that name no thing, and numbers without a second word for what is counted or measured."""
    for name, value in constants(tree):
        word = name.strip("_").lower()
        bare = ADJECTIVES.fullmatch(word) and word not in NOUNS_LIKE_SUPERLATIVES
        number = value is not None and NUMBER.fullmatch(ast.unparse(value))
        if is_no_noun(word) or bare or (number and "_" not in word):
            yield name


def tuple_assignments(tree: ast.Module) -> Iterator[str]:
    """Attributes that are assigned as a tuple, where a line each can be searched for."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            if isinstance(target, ast.Tuple) and any(isinstance(part, ast.Attribute) for part in target.elts):
                yield f"line {node.lineno}: {ast.unparse(target)}"


def _parameters(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, Function):
            given = node.args
            for arg in [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]:
                if arg and not (arg.annotation and "bool" in ast.unparse(arg.annotation)):
                    yield arg.lineno, arg.arg


def _locals(tree: ast.Module) -> Iterator[tuple[int, str]]:
    fields = {
        part.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for part in node.body
        if isinstance(part, ast.AnnAssign | ast.Assign)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store(), lineno=line) if line not in fields:
                yield line, name
            case ast.ExceptHandler(name=str(name), lineno=line):
                yield line, name
            case ast.MatchAs(name=str(name), lineno=line) | ast.MatchStar(name=str(name), lineno=line):
                yield line, name
