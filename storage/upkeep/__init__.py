"""Looking after the database: judge again, thin out, take out."""

from storage.upkeep.export import export_csv, export_parquet
from storage.upkeep.prune import Pruned, prune
from storage.upkeep.rejudge import Calls, Rejudged, Turned, rejudge

__all__ = [
    "Calls",
    "Pruned",
    "Rejudged",
    "Turned",
    "export_csv",
    "export_parquet",
    "prune",
    "rejudge",
]
