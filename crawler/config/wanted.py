"""What a key takes, in words: from its type, whatever the library says that converts it."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Annotated, Final, Literal, Union, get_args, get_origin

from msgspec import Meta

TYPE_DESCRIPTIONS: Final[tuple[tuple[type, str], ...]] = (
    (bool, "true or false"),
    (int, "a whole number"),
    (float, "a number"),
    (str, "a text in quotes"),
    (list, 'a list, as ["a", "b"]'),
    (tuple, 'a list, as ["a", "b"]'),
    (dict, "a table of keys and values"),
)


def wanted(hint: object) -> str:
    """What a value of a type may be."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return " ".join([wanted(parts[0]), *(_bounds(meta) for meta in parts[1:] if isinstance(meta, Meta))])
    if origin is Literal:
        return " or ".join(repr(word) for word in parts)
    if origin in {Union, UnionType}:
        return " or ".join(wanted(part) for part in parts if part is not NoneType)
    kind: object = origin or hint
    fits = (words for base, words in TYPE_DESCRIPTIONS if isinstance(kind, type) and issubclass(kind, base))
    return next(fits, "a value of another kind")


def _bounds(meta: Meta) -> str:
    """From where to where a number may go."""
    minimum = f"from {meta.ge}" if meta.ge is not None else ""
    maximum = f"to {meta.le}" if meta.le is not None else ""
    return " ".join(part for part in (minimum, maximum) if part)
