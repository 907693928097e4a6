"""Probes of sites: into rows, and back."""

from __future__ import annotations

import json
from typing import Final

import sqlalchemy as sa

from storage.model import Probe
from storage.rows.written import Cells, instant, plain

PROBE: Final = ("folder", "asked", "final", "status", "said", "asked_at", "due_at")


def probe_row(probe: Probe) -> Cells:
    """A row of `probe`, in the order of PROBE."""
    return (
        plain(probe.folder),
        plain(probe.asked),
        plain(probe.final),
        probe.status,
        json.dumps(probe.said),
        instant(probe.asked_at),
        instant(probe.due_at),
    )


def to_probe(row: sa.RowMapping) -> Probe:
    """The probe that a row keeps."""
    return Probe(**{name: row[name] for name in PROBE})
