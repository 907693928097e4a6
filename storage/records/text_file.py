"""A text with a front matter, a body, or both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from storage.model import Record
from storage.records import json, toml, url_list, yaml
from storage.records.body import body_links
from storage.records.decoding import decoded
from storage.records.front_matter import FrontMatter, find_front_matter
from storage.records.rules import Rules
from storage.records.source import Failure, Parsed, ParsedFile, RecordText, UnreadableFile

NO_FRONT_MATTER: Final = "no front matter"


def parse(path: str, name: str, data: bytes, rules: Rules) -> ParsedFile:
    """The record of a text; `name` is its file's, in small letters without .gz.

    Raises:
        UnreadableFile: it cannot be read at all.
    """
    front_matter = find_front_matter(data)
    if front_matter is None:
        return _without(path, name, data, rules)
    text = decoded(data[front_matter.start : front_matter.end], front_matter.first_line)
    source = RecordText(path, text, rules, front_matter.first_line)
    records, failures, body = LANGUAGE_READERS[front_matter.language](source, front_matter)
    if rules.body and body is not None:
        records, body_failures = _with_body(source, records, name, data[body:], _line(data, body))
        failures += body_failures
    return ParsedFile(records, failures)


def _without(path: str, name: str, data: bytes, rules: Rules) -> ParsedFile:
    """A text without a front matter: a list of URLs, a body, or nothing."""
    if b"\0" in data[:4096]:
        raise UnreadableFile("a binary file, no record")
    source = RecordText(path, "", rules)
    if name.endswith(".txt"):
        text = data.decode(errors="replace")
        if url_list.is_url_list(text):
            return ParsedFile(*url_list.parse(replace(source, text=text)))
    if not rules.body:
        return ParsedFile([], [], NO_FRONT_MATTER)
    records, failures = _with_body(source, [], name, data, 1)
    return ParsedFile(records, failures, None if records or failures else NO_FRONT_MATTER)


def _with_body(source: RecordText, records: list[Record], name: str, body: bytes, line: int) -> Parsed:
    """The record of a front matter, with the links of the body behind it."""
    try:
        text = decoded(body, line)
        links = body_links(replace(source, text=text, first_line=line), name)
    except UnreadableFile as exc:
        return records, [(exc.line, str(exc))]
    if not links:
        return records, []
    record = records[0] if records else Record(source.path, 0, ())
    return [replace(record, links=(*record.links, *links)), *records[1:]], []


def _line(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1


def _yaml(source: RecordText, front_matter: FrontMatter) -> tuple[list[Record], list[Failure], int | None]:
    result = yaml.parse(source.text, source.path, source.rules, first_line=source.first_line, mapping=True)
    return *result, front_matter.body


def _toml(source: RecordText, front_matter: FrontMatter) -> tuple[list[Record], list[Failure], int | None]:
    return *toml.parse(source), front_matter.body


def _json(source: RecordText, front_matter: FrontMatter) -> tuple[list[Record], list[Failure], int | None]:
    """One object; where no fence ends it, the body begins behind its last brace."""
    if front_matter.body is not None:
        source = _in_braces(source)
        result = json.parse(source.text, source.path, source.rules, first_line=source.first_line)
        return *result, front_matter.body
    records, failures, end = json.parse_first(source)
    if end is None:
        return records, failures, None
    return records, failures, front_matter.start + len(source.text[:end].encode())


def _in_braces(source: RecordText) -> RecordText:
    """An object, also where only its members stand between the fences, as Middleman writes them."""
    if not source.text.lstrip().startswith('"'):
        return source
    return replace(source, text=f"{{\n{source.text}\n}}", first_line=source.first_line - 1)


LANGUAGE_READERS: Final[
    dict[
        str,
        Callable[[RecordText, FrontMatter], tuple[list[Record], list[Failure], int | None]],
    ]
] = {"yaml": _yaml, "toml": _toml, "json": _json}
