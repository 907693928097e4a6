"""Values into rows and back: what stands in which column. Pure."""

from storage.rows.cached import CACHED, cached_row, to_cached
from storage.rows.probe import PROBE, probe_row, to_probe
from storage.rows.read import (
    STANDING,
    picture_columns,
    standing_columns,
    to_finding,
    to_hop,
    to_link,
    to_picture,
    to_standing,
)
from storage.rows.written import (
    Cells,
    event_row,
    finding_row,
    hop_rows,
    image_row,
    instant,
    link_row,
    plain,
    standing_row,
)

__all__ = [
    "CACHED",
    "PROBE",
    "STANDING",
    "Cells",
    "cached_row",
    "event_row",
    "finding_row",
    "hop_rows",
    "image_row",
    "instant",
    "link_row",
    "picture_columns",
    "plain",
    "probe_row",
    "standing_columns",
    "standing_row",
    "to_cached",
    "to_finding",
    "to_hop",
    "to_link",
    "to_picture",
    "to_probe",
    "to_standing",
]
