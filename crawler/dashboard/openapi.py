"""The description of the API (OpenAPI 3.1), from the same declarations as the pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from crawler.dashboard.page import AnyPage
from crawler.dashboard.problems import HttpProblem
from crawler.data.version import program_version

REF: Final = "#/components/schemas/{name}"


def description(pages: Sequence[AnyPage]) -> dict[str, object]:
    """The whole description, as JSON takes it."""
    schemas, components = msgspec.json.schema_components(
        [HttpProblem, *(page.result for page in pages)], ref_template=REF
    )
    problem = _answer("What is wrong, and what to do.", schemas[0], "application/problem+json")
    paths = {
        page.api: {"get": _operation(page, schema, problem)}
        for page, schema in zip(pages, schemas[1:], strict=True)
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "linkhealth", "version": program_version()},
        "paths": paths,
        "components": {"schemas": components},
    }


def _operation(page: AnyPage, schema: dict[str, object], problem: dict[str, object]) -> dict[str, object]:
    return {
        "operationId": page.name or "overview",
        "summary": page.summary,
        "parameters": list(_parameters(page)),
        "responses": {"200": _answer(page.summary, schema, "application/json"), "default": problem},
    }


def _answer(description: str, schema: dict[str, object], kind: str) -> dict[str, object]:
    return {"description": description, "content": {kind: {"schema": schema}}}


def _parameters(page: AnyPage) -> Iterable[dict[str, object]]:
    for field in msgspec.structs.fields(page.query):
        schemas, parts = msgspec.json.schema_components([field.type], ref_template=REF)
        schema = _inlined(schemas[0], parts)
        yield {"name": field.encode_name, "in": "query", "required": False, "schema": schema}


def _inlined(schema: object, parts: dict[str, object]) -> object:
    """A schema with what it refers to in its place: a parameter is small."""
    if isinstance(schema, list):
        return [_inlined(item, parts) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(parts[schema["$ref"].rpartition("/")[2]], parts)
    return {key: _inlined(value, parts) for key, value in schema.items()}
