"""The types of SQL whose columns are known by name, not by the type checker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import sqlalchemy as sa

# The one place for "of anything": SQLAlchemy types a query by the tuple of its columns, which no
# signature can spell for queries that are put together from parts.
Query: TypeAlias = "sa.Select[*tuple[Any, ...]]"
ResultRow: TypeAlias = "sa.Row[*tuple[Any, ...]]"
SqlColumn: TypeAlias = sa.ColumnElement[Any]
RowValues: TypeAlias = Sequence[Any]  # the values of a row, told by their places
# The columns of a table by name; the type of the whole collection is not public.
TableColumns: TypeAlias = "sa.ColumnCollection[str, Any]"
