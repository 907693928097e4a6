"""The tables taken out of the database: as CSV, or as Parquet where pyarrow is installed."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from storage.db import schema
from storage.db.sql import Query, RowValues, SqlColumn
from storage.db.transactions import reading
from storage.errors import StorageError, system_reason
from storage.upkeep.spreadsheet import cell_text

ROWS_IN_MEMORY: Final = 20_000  # rows that are in memory together
Rows = list[RowValues]
Save = Callable[[Path, Query, Iterator[Rows]], None]


class ExportError(StorageError):
    """The tables cannot be written there, or not in that form."""


def export_csv(engine: sa.Engine, path: Path) -> list[Path]:
    """Write every table to a file in a folder; to a path that ends in `.csv`, the findings alone.

    Raises:
        ExportError: the files cannot be written.
        LedgerError: the database cannot be read.
    """
    return _export(engine, path, ".csv", _save_csv)


def export_parquet(engine: sa.Engine, path: Path) -> list[Path]:
    """Write every table to a file in a folder; to a path that ends in `.parquet`, the findings alone.

    Raises:
        ExportError: the files cannot be written, or pyarrow is not installed.
        LedgerError: the database cannot be read.
    """
    try:
        import pyarrow.parquet  # noqa: F401, PLC0415 - large, and optional
    except ImportError as exc:
        raise ExportError("--parquet needs pyarrow: pip install 'linkhealth[parquet]'") from exc
    return _export(engine, path, ".parquet", _save_parquet)


def findings() -> Query:
    """All findings, the oldest first, each with the URL and state of its target."""
    finding, target = schema.finding, schema.target
    columns = [column for column in finding.c if column.name != "evidence"]
    query = sa.select(target.c.url, target.c.state, *columns)
    query = query.join(target, target.c.id == finding.c.target_id)
    return query.order_by(finding.c.run_id, finding.c.target_id)


def _export(engine: sa.Engine, path: Path, suffix: str, save: Save) -> list[Path]:
    queries = {path: findings()} if path.suffix == suffix else _tables(path, suffix)
    try:
        if path.suffix != suffix:
            path.mkdir(parents=True, exist_ok=True)
        with reading(engine) as connection:
            for file, query in queries.items():
                rows = connection.execution_options(yield_per=ROWS_IN_MEMORY).execute(query)
                save(file, query, (list(map(tuple, partition)) for partition in rows.partitions()))
    except OSError as exc:
        raise ExportError(f"{exc.filename or path} cannot be written: {system_reason(exc)}") from exc
    return list(queries)


def _tables(folder: Path, suffix: str) -> dict[Path, Query]:
    tables = schema.metadata.sorted_tables
    return {
        folder / f"{table.name}{suffix}": sa.select(table).order_by(*table.primary_key) for table in tables
    }


def _save_csv(file: Path, query: Query, pages: Iterator[Rows]) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow([column.name for column in query.selected_columns])
        for page in pages:
            writer.writerows([[_text(cell) for cell in row] for row in page])


def _text(cell: object) -> object:
    if isinstance(cell, datetime):
        return cell.isoformat().replace("+00:00", "Z")
    if isinstance(cell, dict | list):
        return json.dumps(cell)
    return cell_text(cell) if isinstance(cell, str) else cell


def _save_parquet(file: Path, query: Query, pages: Iterator[Rows]) -> None:
    import pyarrow as pa  # noqa: PLC0415 - large, and optional
    from pyarrow import parquet  # noqa: PLC0415 - as above

    columns = list(query.selected_columns)
    fields = pa.schema([(column.name, _arrow(column)) for column in columns])
    with parquet.ParquetWriter(file, fields, compression="zstd") as writer:
        for page in pages:
            arrays = [[_cell(row[place]) for row in page] for place in range(len(columns))]
            writer.write_table(pa.table(dict(zip(fields.names, arrays, strict=True)), schema=fields))


def _arrow(column: SqlColumn) -> object:  # a pyarrow type; pyarrow ships no types
    import pyarrow as pa  # noqa: PLC0415 - large, and optional

    table: Sequence[tuple[type, object]] = (
        (schema.UtcDateTime, pa.timestamp("us", tz="UTC")),
        (sa.Integer, pa.int64()),
        (sa.Float, pa.float64()),
    )
    return next((arrow_type for kind, arrow_type in table if isinstance(column.type, kind)), pa.string())


def _cell(cell: object) -> object:
    return json.dumps(cell) if isinstance(cell, dict | list) else cell
