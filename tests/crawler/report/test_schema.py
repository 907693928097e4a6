"""The published schema of JSON, and the selection of a report."""

from __future__ import annotations

import msgspec
import pytest
import sqlalchemy as sa
from jsonschema import Draft202012Validator

from crawler.report.base import REPORTS, summarise
from crawler.report.schema import SCHEMA_TYPES, json_schema
from crawler.report.selection import SORT_KEYS, Selection
from storage.model import Kind
from tests.crawler.report.build import GONE, told

pytestmark = pytest.mark.libraries


@pytest.mark.parametrize("format_", SCHEMA_TYPES)
def test_what_a_report_writes_is_valid(engine: sa.Engine, format_: str) -> None:
    """Each object that a report writes fits the schema, and one with a wrong or missing key does not."""
    schema = json_schema(format_)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    text = told(engine, format_)
    objects = [msgspec.json.decode(line) for line in ([text] if format_ == "json" else text.splitlines())]

    assert objects
    for one in objects:
        validator.validate(one)
        for key in one:
            assert not validator.is_valid({name: value for name, value in one.items() if name != key})
    assert not validator.is_valid(objects[0] | {"run": 1, "links": 1})


def test_the_version_is_in_schema_and_report(engine: sa.Engine) -> None:
    """The version stands in `$id` and in the run of a report."""
    version = msgspec.json.decode(told(engine, "json"))["run"]["schema"]

    assert json_schema("json")["$id"] == f"urn:linkhealth:json:{version}"


def _urls(engine: sa.Engine, selection: Selection) -> list[str]:
    return [entry.url for entry in summarise(engine, selection).entries()]


def test_several_sets_must_all_hold(engine: sa.Engine) -> None:
    """Names within one set are alternatives, and of every set one has to fit."""
    hard_or_alive, web = frozenset({"hard", "alive"}), frozenset({"web"})

    assert len(_urls(engine, Selection(only=(hard_or_alive,)))) == 3
    assert len(_urls(engine, Selection(only=(hard_or_alive, web)))) == 2
    assert _urls(engine, Selection(only=(hard_or_alive, web, frozenset({"suspect"})))) == [GONE]


def test_kinds_and_paths_narrow_the_links(engine: sa.Engine) -> None:
    """Only links of the kinds, and of the files, are shown and counted."""
    images = summarise(engine, Selection(kinds=frozenset({Kind.IMAGE})))
    one_file = summarise(engine, Selection(in_scope=lambda path: path == "seeds/b c.md"))

    assert [(entry.kind, len(entry.links)) for entry in images.entries()] == [(Kind.IMAGE, 1)]
    assert (images.totals.targets, images.totals.links) == (1, 1)
    assert [(entry.url, len(entry.links)) for entry in one_file.entries()] == [(GONE, 1)]
    assert [problem.path for problem in one_file.problems] == ["seeds/b c.md"]


def test_limit_shows_some_and_counts_all(engine: sa.Engine) -> None:
    """A limit cuts what is shown; the counts are of all."""
    summary = summarise(engine, Selection(limit=1))

    assert len(list(summary.entries())) == 1
    assert summary.totals.targets == 4
    assert len("".join(REPORTS["jsonl"](summary)).splitlines()) == 1


@pytest.mark.parametrize("sort", SORT_KEYS)
def test_each_sort_has_every_target(engine: sa.Engine, sort: str) -> None:
    """An order leaves no target out, and is the same each time."""
    urls = _urls(engine, Selection(sort=sort))

    assert sorted(urls) == sorted(_urls(engine, Selection()))
    assert urls == _urls(engine, Selection(sort=sort))
    if sort == "url":
        assert urls == sorted(urls)
