"""Parameters and forms: read once, here, and refused by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Final, TypeVar, get_args, get_origin

import msgspec
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from multidict import MultiMapping

from crawler.dashboard.page import PageQuery
from storage.errors import original

MAX_VALUE_CHARACTERS: Final = 2000  # characters of one value
ParsedQuery = TypeVar("ParsedQuery", bound=PageQuery)


class BadParameter(Exception):
    """A parameter of a page is not what it may be; `name` and `allowed` tell which and what."""

    def __init__(self, name: str, value: str, choices: str) -> None:
        super().__init__(f"{name}={value[:80]!r} is not allowed: {choices}")
        self.name = name
        self.allowed = choices


async def read_form(request: web.Request) -> dict[str, str]:
    """The fields of a form that are text, and not empty.

    Raises:
        BadParameter: it cannot be read: a broken multipart, an unknown charset, bytes that are no text.
    """
    try:
        fields = await request.post()
    except (ValueError, LookupError, AssertionError, RuntimeError, HttpProcessingError) as exc:
        raise BadParameter("form", "", f"it cannot be read{original(exc)}") from exc
    return {name: str(value) for name, value in fields.items() if value and isinstance(value, str)}


def parse(query: type[ParsedQuery], parameters: MultiMapping[str]) -> ParsedQuery:
    """Read the parameters of a page. A parameter without a value counts as not given, as forms send it.

    A field of a tuple type takes a parameter several times, or once with commas.

    Raises:
        BadParameter: one is unknown, or has a value that it may not have.
    """
    fields = {field.encode_name: field for field in msgspec.structs.fields(query)}
    values: dict[str, object] = {}
    for name in dict.fromkeys(parameters):
        texts = [text for text in parameters.getall(name) if text]
        if name not in fields:
            raise BadParameter(name, "".join(texts), _known_parameters(name, fields))
        if texts:
            values[fields[name].name] = _value(name, texts, fields[name].type)
    return query(**values)


def _value(name: str, texts: Sequence[str], hint: object) -> object:
    is_list = get_origin(_bare(hint)) is tuple
    value: object = [part for text in texts for part in text.split(",") if part] if is_list else texts[-1]
    if any(len(text) > MAX_VALUE_CHARACTERS for text in texts):
        raise BadParameter(name, texts[-1], f"{MAX_VALUE_CHARACTERS} characters at most")
    try:
        return msgspec.convert(value, hint, strict=False)
    except msgspec.ValidationError as exc:
        raise BadParameter(name, texts[-1], allowed_values(hint, exc)) from exc


def _bare(hint: object) -> object:
    """A type without its annotations."""
    return get_args(hint)[0] if hasattr(hint, "__metadata__") else hint


def allowed_values(hint: object, why: Exception | None = None) -> str:
    """What a parameter of this type may be, in words."""
    schemas, parts = msgspec.json.schema_components([hint], ref_template="{name}")
    words = _words(schemas[0], parts)
    if words:
        return f"write {', '.join(words)}"
    for schema in (schemas[0], *schemas[0].get("anyOf", ())):
        if schema.get("type") == "integer" and "minimum" in schema:
            return f"write a whole number from {schema['minimum']} to {schema.get('maximum', 'any')}"
    return f"it cannot be read as that{original(why or '')}"


def _list(schema: Mapping[str, object], name: str) -> Sequence[object]:
    values = schema.get(name)
    return values if isinstance(values, list) else ()


def _words(schema: Mapping[str, object], parts: Mapping[str, object]) -> list[str]:
    """The words that a schema lists, wherever it lists them."""
    inner = [schema.get("items"), *_list(schema, "anyOf"), parts.get(str(schema.get("$ref")))]
    words = [str(word) for word in _list(schema, "enum")]
    return words + [
        word
        for inner_schema in inner
        if isinstance(inner_schema, Mapping)
        for word in _words(inner_schema, parts)
    ]


def _known_parameters(name: str, fields: Mapping[str, object]) -> str:
    near = get_close_matches(name, list(fields), 1)
    if near:
        return f"there is no such parameter; did you mean {near[0]}?"
    return f"there is no such parameter; known are {', '.join(fields)}" if fields else "there are none here"
