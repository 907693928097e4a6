"""CSV and TSV (RFC 4180): a record a row, a column a key, with the line and column of every cell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from storage.model import Record
from storage.records.gather import Gatherer
from storage.records.lines import LineIndex
from storage.records.rules import URL_LIKE
from storage.records.source import Failure, Parsed, RecordText
from storage.records.tree import Scalar, feed

MAX_CELLS: Final = 16_384  # as many as spreadsheets have
QUOTED_CELL: Final = re.compile(r'"((?:[^"]|"")*)"[ \r]*')
TAB: Final = "\t"
Row = list[Scalar]


class _BadRow(ValueError):
    """A row cannot be read; `offset` is where it begins."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason)
        self.offset = offset


def parse(source: RecordText) -> Parsed:
    """The records of a table, and why some of its rows could not be read."""
    lines = LineIndex(source.text, source.first_line)
    records: list[Record] = []
    failures: list[Failure] = []
    columns: Sequence[str] | None = None
    for row in _rows(source.text, _delimiter(source)):
        if isinstance(row, _BadRow):
            failures.append((lines.place(row.offset)[0], str(row)))
            continue
        if columns is None:
            columns = _header(row)
            if columns:
                continue
        gatherer = Gatherer(source.rules)
        feed(gatherer, dict(_cells(row, columns)), lines)
        records.append(Record(source.path, len(records), gatherer.links(), gatherer.unmapped()))
    return records, failures


def _delimiter(source: RecordText) -> str:
    """What stands between two cells: a tab in TSV; a semicolon where the first line has no comma."""
    if source.path.lower().removesuffix(".gz").endswith(".tsv"):
        return TAB
    header = source.text.partition("\n")[0]
    return max(",;\t", key=header.count) if "," not in header else ","


def _header(row: Row) -> Sequence[str]:
    """The names of the columns; none where the first row holds a URL, and so is no header."""
    if any(URL_LIKE.fullmatch(cell.text.strip()) for cell in row):
        return ()
    return [cell.text.strip() for cell in row]


def _cells(row: Row, columns: Sequence[str]) -> Iterator[tuple[str, Scalar]]:
    """The cells of a row by the name of their column; one without a name has a number, from 1."""
    for number, cell in enumerate(row):
        name = columns[number] if number < len(columns) else ""
        yield name or f"column{number + 1}", cell


def _rows(text: str, delimiter: str) -> Iterator[Row | _BadRow]:
    """The rows that are not empty; behind one that cannot be read, the next line goes on."""
    plain_cell = re.compile(rf"[^{re.escape(delimiter)}\n]*")
    position = 0
    while position < len(text):
        start = position
        try:
            row, position = _row(text, start, delimiter, plain_cell)
        except _BadRow as bad_row:
            yield bad_row
            line_end = text.find("\n", start)
            position = len(text) if line_end < 0 else line_end + 1
            continue
        if any(cell.text.strip() for cell in row):
            yield row


def _row(text: str, start: int, delimiter: str, plain_cell: re.Pattern[str]) -> tuple[Row, int]:
    """One row, and where the next begins."""
    row: Row = []
    position = start
    while True:
        cell, position = _cell(text, position, plain_cell)
        row.append(cell)
        if len(row) > MAX_CELLS:
            raise _BadRow(f"a row of more than {MAX_CELLS:,} cells", start)
        if "\0" in cell.text:
            raise _BadRow("a NUL character", start)
        if not text.startswith(delimiter, position):
            break
        position += 1
    if position < len(text) and text[position] != "\n":
        raise _BadRow("something follows the quoted cell", start)
    return row, position + 1


def _cell(text: str, start: int, plain_cell: re.Pattern[str]) -> tuple[Scalar, int]:
    if text.startswith('"', start):
        quoted_cell = QUOTED_CELL.match(text, start)
        if quoted_cell is None:
            raise _BadRow("a quote is never closed", start)
        return Scalar(quoted_cell[1].replace('""', '"'), start + 1), quoted_cell.end()
    plain = plain_cell.match(text, start)
    end = plain.end() if plain else start
    return Scalar(text[start:end].removesuffix("\r"), start), end
