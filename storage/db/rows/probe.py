"""Probes of sites: into rows, and back."""

from __future__ import annotations

import json
from typing import Final

import sqlalchemy as sa

from storage.db.rows.written import Cells, storable_text, utc_text
from storage.model import Probe

PROBE_COLUMNS: Final = ("folder", "asked", "final", "status", "said", "asked_at", "due_at")


def probe_row(probe: Probe) -> Cells:
    """A row of `probe`, in the order of PROBE."""
    return (
        storable_text(probe.folder),
        storable_text(probe.asked),
        storable_text(probe.final),
        probe.status,
        json.dumps(probe.said),
        utc_text(probe.asked_at),
        utc_text(probe.due_at),
    )


def to_probe(row: sa.RowMapping) -> Probe:
    """The probe that a row keeps."""
    return Probe(**{name: row[name] for name in PROBE_COLUMNS})
