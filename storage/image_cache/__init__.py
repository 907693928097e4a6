"""The image cache: files named by their bytes, and the index that says what is kept of each target.

A file comes first and its row second, so no row ever points to nothing: whatever dies in between
leaves a file that no row names, which `collect` takes away. `docs/cache.md` tells the whole way.
"""

from storage.image_cache.aside_file import AsideFile
from storage.image_cache.export import ExportCounts, export
from storage.image_cache.folder_store import Blob, FolderStore
from storage.image_cache.index import entries, forget, format_of, named
from storage.image_cache.maintenance import CacheFault, CollectedFiles, collect, make_room, repair, verify
from storage.image_cache.names import digest_of, name_of
from storage.image_cache.owner import claim
from storage.image_cache.store import BlobStore, open_store

__all__ = [
    "AsideFile",
    "Blob",
    "BlobStore",
    "CacheFault",
    "CollectedFiles",
    "ExportCounts",
    "FolderStore",
    "claim",
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
