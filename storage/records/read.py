"""One file to one document: by its suffix, within bounds, whatever is in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from stat import S_ISREG
from typing import Final

from storage.errors import system_reason
from storage.model import Document, FileStamp, Record, RecordProblem
from storage.records import json, standard_input, text_file, toml, url_list, yaml
from storage.records.decoding import GZIP_BEGINNING, MAX_FILE_BYTES, decoded, normalised, unzipped
from storage.records.files import RECORD_SUFFIXES, STANDARD_INPUT, TEXT_SUFFIXES, stamp
from storage.records.rules import DEFAULT_RULES, Rules
from storage.records.source import Failure, Parsed, ParsedFile, RecordText, UnreadableFile


def _never(_: str, __: FileStamp) -> bool:
    return False


def read(path: str, rules: Rules = DEFAULT_RULES) -> Document:
    """Read one file; whatever is wrong with it is a problem of the document."""
    document = read_news(path, rules, _never)
    assert document is not None  # noqa: S101 - nothing is known, so all is news
    return document


def read_news(path: str, rules: Rules, is_known: Callable[[str, FileStamp], bool]) -> Document | None:
    """Read one file as `read` does, unless it is known by its path and stamp: then it is None."""
    mark: FileStamp | None = None
    try:
        status, data = _content(path)
        mark = stamp(status, data)
        if is_known(path, mark):
            return None
    except UnreadableFile as exc:
        return _document(path, mark, ParsedFile([], [(exc.line, str(exc))]))
    except OSError as exc:
        return _document(path, mark, ParsedFile([], [(None, f"cannot be read: {system_reason(exc)}")]))
    return _document(path, mark, _parsed(path, data, rules))


def read_bytes(path: str, data: bytes, rules: Rules = DEFAULT_RULES) -> Document:
    """Read bytes as `read` does, as if they stood in the file `path`; such a document has no stamp."""
    return _document(path, None, _parsed(path, data, rules))


def _document(path: str, mark: FileStamp | None, parsed_file: ParsedFile) -> Document:
    problems = tuple(RecordProblem(path, line, reason) for line, reason in parsed_file.failures)
    return Document(path, mark, tuple(parsed_file.records), problems, parsed_file.notice)


def _content(path: str) -> tuple[os.stat_result, bytes]:
    if path == STANDARD_INPUT:
        data = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise UnreadableFile(f"more than {MAX_FILE_BYTES // 2**20} MiB: split it")
        return os.fstat(sys.stdin.fileno()), data
    status = os.stat(path)  # noqa: PTH116 - a Path costs as much as reading a small file
    if not S_ISREG(status.st_mode):
        # A pipe or a device may never end.
        raise UnreadableFile("cannot be read: no regular file")
    if status.st_size > MAX_FILE_BYTES:
        raise UnreadableFile(f"larger than {MAX_FILE_BYTES // 2**20} MiB: split it into several files")
    with open(path, "rb") as file:  # noqa: PTH123 - as above
        return status, file.read()


def _parsed(path: str, data: bytes, rules: Rules) -> ParsedFile:
    try:
        return _parse(path, data, rules)
    except UnreadableFile as exc:
        return ParsedFile([], [(exc.line, str(exc))])


def _parse(path: str, data: bytes, rules: Rules) -> ParsedFile:
    name = path.lower().removesuffix(".gz")
    if path == STANDARD_INPUT:
        data = unzipped(data) if data.startswith(GZIP_BEGINNING) else data
        name = standard_input.name_for(data)
    elif path.lower().endswith(".gz"):
        data = unzipped(data)
    data = normalised(data)
    if name.endswith(TEXT_SUFFIXES):
        return text_file.parse(path, name, data, rules)
    suffix = next((ending for ending in SUFFIX_READERS if name.endswith(ending)), None)
    if suffix is None:
        suffixes = " ".join(RECORD_SUFFIXES)
        raise UnreadableFile(f"no record by its name: records end in {suffixes}, each also .gz")
    return ParsedFile(*SUFFIX_READERS[suffix](RecordText(path, decoded(data), rules)))


def _yaml(source: RecordText) -> Parsed:
    return yaml.parse(source.text, source.path, source.rules, first_line=source.first_line)


def _json(source: RecordText) -> Parsed:
    return json.parse(source.text, source.path, source.rules)


def _json_lines(source: RecordText) -> Parsed:
    """A value a line; a bad line is one problem, and the others go on."""
    records: list[Record] = []
    failures: list[Failure] = []
    for number, line in enumerate(source.text.split("\n"), 1):
        line_records, line_failures = json.parse(
            line, source.path, source.rules, first_line=number, first_index=len(records)
        )
        records += line_records
        failures += line_failures
    return records, failures


def _delimited(source: RecordText) -> Parsed:
    from storage.records import delimited  # noqa: PLC0415 - few runs have such a file

    return delimited.parse(source)


def _xml(source: RecordText) -> Parsed:
    from storage.records import xml  # noqa: PLC0415 - a parser that few runs need

    return xml.parse(source)


SUFFIX_READERS: Final[Mapping[str, Callable[[RecordText], Parsed]]] = {
    **dict.fromkeys((".yaml", ".yml", ".cff"), _yaml),
    **dict.fromkeys((".json", ".jsonld"), _json),
    **dict.fromkeys((".jsonl", ".ndjson"), _json_lines),
    ".toml": toml.parse,
    **dict.fromkeys((".csv", ".tsv"), _delimited),
    ".xml": _xml,
    ".urls": url_list.parse,
}
