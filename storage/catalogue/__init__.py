"""What the records say: documents into rows of records, links and targets, in batches."""

from storage.catalogue.documents import Catalogue, Counts, Place

__all__ = ["Catalogue", "Counts", "Place"]
