"""CSV and TSV: a record a row, a column a key."""

from __future__ import annotations

from storage.model import Declared, Kind
from storage.records import DEFAULT_RULES, read_bytes


def test_columns_are_keys_and_rows_are_records() -> None:
    """A column may be named by a whole path; a quoted cell may hold anything."""
    text = (
        "title,website,images.url,width,height\r\n"
        'a,https://a.example/,"https://pic.example/1,2",3,4\r\n'
        "\r\n"
        '"two\nlines",https://b.example/,,,\r\n'
    )
    document = read_bytes("a.csv", text.encode())
    assert [record.index for record in document.records] == [0, 1]
    assert [
        (link.field, link.line, link.column, link.text, link.kind, link.declared)
        for record in document.records
        for link in record.links
    ] == [
        ("website", 2, 3, "https://a.example/", Kind.WEB, None),
        ("images.url", 2, 23, "https://pic.example/1,2", Kind.IMAGE, Declared(3, 4)),
        ("website", 5, 8, "https://b.example/", Kind.WEB, None),
    ]


def test_tabs_and_semicolons_part_cells_too() -> None:
    """TSV by its name, and the CSV of spreadsheets that write commas in numbers."""
    for name, text in (
        ("a.tsv", "x\twebsite\n1\thttps://a.example/\n"),
        ("a.csv", "x;website\n1;https://a.example/\n"),
    ):
        [record] = read_bytes(name, text.encode()).records
        assert (record.links[0].line, record.links[0].column) == (2, 3)


def test_a_bad_row_costs_no_other() -> None:
    """An open quote, a NUL and letters behind a quote are problems with their line."""
    text = 'website,x\nhttps://a.example/,"open\nhttps://b.example/,\0\n"https://c.example/"z,1\nhttps://d.example/,1\n'
    document = read_bytes("a.csv", text.encode())
    assert [problem.line for problem in document.problems] == [2, 3, 4]
    assert [record.links[0].text for record in document.records] == ["https://d.example/"]


def test_a_table_without_a_header_is_seen() -> None:
    """Its columns have numbers, and the survey tells what no rule takes."""
    document = read_bytes("a.csv", b"https://a.example/,x\nhttps://b.example/,y\n", DEFAULT_RULES.surveying())
    assert [value.keys for record in document.records for value in record.unmapped] == ["column1", "column1"]


def test_wide_tables_are_bounded() -> None:
    """Ten thousand columns are read; more than a spreadsheet has are refused."""
    names = ",".join(f"c{number}" for number in range(9_999))
    wide = f"{names},website\n" + "," * 9_999 + "https://a.example/\n"
    [record] = read_bytes("a.csv", wide.encode()).records
    assert record.links[0].line == 2
    document = read_bytes("a.csv", ("," * 20_000 + "\nwebsite\nhttps://a.example/\n").encode())
    assert "cells" in document.problems[0].reason
    assert len(document.records) == 1
