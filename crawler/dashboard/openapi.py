"""The description of the API (OpenAPI 3.1), from the same declarations as the pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any, Final

import msgspec

from crawler.dashboard.page import Page
from crawler.dashboard.trouble import Problem

REF: Final = "#/components/schemas/{name}"


def description(pages: Sequence[Page[Any]]) -> dict[str, Any]:
    """The whole description, as JSON takes it."""
    schemas, components = msgspec.json.schema_components(
        [Problem, *(page.result for page in pages)], ref_template=REF
    )
    problem = _answer("What is wrong, and what to do.", schemas[0], "application/problem+json")
    paths = {
        page.api: {"get": _operation(page, schema, problem)}
        for page, schema in zip(pages, schemas[1:], strict=True)
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "linkhealth", "version": version("linkhealth")},
        "paths": paths,
        "components": {"schemas": components},
    }


def _operation(page: Page[Any], schema: dict[str, Any], problem: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": page.name or "overview",
        "summary": page.summary,
        "parameters": list(_parameters(page)),
        "responses": {"200": _answer(page.summary, schema, "application/json"), "default": problem},
    }


def _answer(said: str, schema: dict[str, Any], kind: str) -> dict[str, Any]:
    return {"description": said, "content": {kind: {"schema": schema}}}


def _parameters(page: Page[Any]) -> Iterable[dict[str, Any]]:
    for field in msgspec.structs.fields(page.query):
        found, parts = msgspec.json.schema_components([field.type], ref_template=REF)
        schema = _inlined(found[0], parts)
        yield {"name": field.encode_name, "in": "query", "required": False, "schema": schema}


def _inlined(schema: Any, parts: dict[str, Any]) -> Any:
    """A schema with what it refers to in its place: a parameter is small."""
    if isinstance(schema, list):
        return [_inlined(one, parts) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(parts[schema["$ref"].rpartition("/")[2]], parts)
    return {key: _inlined(value, parts) for key, value in schema.items()}
