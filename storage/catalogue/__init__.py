"""What the records say: documents into rows of records, links and targets, in batches."""

from storage.catalogue.documents import Catalogue, CatalogueCounts
from storage.catalogue.doubled import join_doubled_records
from storage.catalogue.identity import RecordPaths
from storage.catalogue.targets import LinkTarget

__all__ = ["Catalogue", "CatalogueCounts", "LinkTarget", "RecordPaths", "join_doubled_records"]
