"""Query parameters: read once, here, and refused by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final, TypeVar, get_args, get_origin

import msgspec
from multidict import MultiMapping

from crawler.dashboard.page import Query

LONGEST: Final = 2000  # characters of one value
Q = TypeVar("Q", bound=Query)


class BadParameter(Exception):
    """A parameter of a page is not what it may be; `name` and `allowed` tell which and what."""

    def __init__(self, name: str, value: str, allowed: str) -> None:
        super().__init__(f"{name}={value[:80]!r} is not allowed: {allowed}")
        self.name, self.allowed = name, allowed


def parse(query: type[Q], given: MultiMapping[str]) -> Q:
    """What was asked of a page. A parameter without a value counts as not given, as forms send it.

    A field of a tuple type takes a parameter several times, or once with commas.

    Raises:
        BadParameter: one is unknown, or has a value that it may not have.
    """
    fields = {field.encode_name: field for field in msgspec.structs.fields(query)}
    values: dict[str, Any] = {}
    for name in dict.fromkeys(given):
        texts = [text for text in given.getall(name) if text]
        if name not in fields:
            raise BadParameter(name, "".join(texts), _known(name, fields))
        if texts:
            values[fields[name].name] = _value(name, texts, fields[name].type)
    return query(**values)


def _value(name: str, texts: Sequence[str], hint: Any) -> Any:
    many = get_origin(_bare(hint)) is tuple
    given: object = [part for text in texts for part in text.split(",") if part] if many else texts[-1]
    if any(len(text) > LONGEST for text in texts):
        raise BadParameter(name, texts[-1], f"{LONGEST} characters at most")
    try:
        return msgspec.convert(given, hint, strict=False)
    except msgspec.ValidationError as exc:
        raise BadParameter(name, texts[-1], allowed(hint, exc)) from exc


def _bare(hint: Any) -> Any:
    """A type without what is said about it."""
    return get_args(hint)[0] if hasattr(hint, "__metadata__") else hint


def allowed(hint: Any, why: Exception | None = None) -> str:
    """What a parameter of this type may be, in words."""
    schemas, parts = msgspec.json.schema_components([hint], ref_template="{name}")
    words = _words(schemas[0], parts)
    if words:
        return f"write {', '.join(words)}"
    for one in (schemas[0], *schemas[0].get("anyOf", ())):
        if one.get("type") == "integer" and "minimum" in one:
            return f"write a whole number from {one['minimum']} to {one.get('maximum', 'any')}"
    return str(why).partition(" - at")[0].lower()


def _words(schema: Mapping[str, Any], parts: Mapping[str, Any]) -> list[str]:
    """The words that a schema lists, wherever it lists them."""
    inner = [schema.get("items"), *schema.get("anyOf", ()), parts.get(str(schema.get("$ref")))]
    found = [str(word) for word in schema.get("enum", ())]
    return found + [word for one in inner if isinstance(one, Mapping) for word in _words(one, parts)]


def _known(name: str, fields: Mapping[str, object]) -> str:
    near = get_close_matches(name, list(fields), 1)
    if near:
        return f"there is no such parameter; did you mean {near[0]}?"
    return f"there is no such parameter; known are {', '.join(fields)}" if fields else "there are none here"
