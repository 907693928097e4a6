"""The image cache: files named by their bytes, and the index that says what is kept of each target.

A file comes first and its row second, so no row ever points to nothing: whatever dies in between
leaves a file that no row names, which `collect` takes away. `docs/cache.md` tells the whole way.
"""

from storage.cache.blobs import Blob, Blobs
from storage.cache.export import Exported, export
from storage.cache.house import Collected, Fault, collect, make_room, repair, verify
from storage.cache.index import entries, forget, format_of, named
from storage.cache.names import digest_of, name_of
from storage.cache.store import Store, open_store

__all__ = [
    "Blob",
    "Blobs",
    "Collected",
    "Exported",
    "Fault",
    "Store",
    "collect",
    "digest_of",
    "entries",
    "export",
    "forget",
    "format_of",
    "make_room",
    "name_of",
    "named",
    "open_store",
    "repair",
    "verify",
]
