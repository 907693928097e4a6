"""The cache as a folder that a static site can serve: copies, and a manifest from URL to file.

No name is taken from a URL as it is: whatever is not a plain letter, digit or `._-` is written as
`%XX`, so that no URL leads out of the folder, or to a name that means something to a system.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from storage.frozen import frozen
from storage.image_cache.index import entries, named
from storage.image_cache.names import name_of, suffix_of
from storage.image_cache.safe_paths import NEW_FILE_FLAGS, errors_explained, folder, write
from storage.image_cache.store import BlobStore
from storage.model import CachedImage

EXPORT_LAYOUTS: Final = ("url", "digest")
MANIFEST_NAME: Final = "manifest.json"
EXPORTED_NAME: Final = ".exported"  # the list of the files that an export wrote
PLAIN_CHARACTER: Final = re.compile(rb"[A-Za-z0-9._-]")
OUTER_DOTS: Final = re.compile(r"^\.+|\.+$")
MAX_NAME_CHARACTERS: Final = 180  # characters of a name; file systems take 255 bytes
MAX_FOLDER_DEPTH: Final = 16  # folders below one another
PARTIAL_NAME: Final = ".part"  # how a copy is called until it is whole


@frozen
class ExportCounts:
    """What was exported: how many URLs, how many files were written anew, and how many were removed."""

    urls: int
    written: int
    deleted: int = 0


def export(
    blobs: BlobStore, engine: sa.Engine, root: Path, layout: str, *, delete: bool = False
) -> ExportCounts:
    """Copy what records name into a folder; what is there already, whole, is left as it is.

    `layout` "url" lays files out by host and path, "digest" as in the cache. A file of the cache
    that is gone is left out. `delete`: what an earlier export wrote, and no record names any more, is
    removed; nothing else in the folder is touched.

    Raises:
        CacheError: a folder cannot be read or written.
        LedgerError: the database cannot be read.
    """
    index = entries(engine)
    by_url = {url: index[key] for key, url in sorted(named(engine).items(), key=lambda pair: pair[1])}
    present = {url: entry for url, entry in by_url.items() if blobs.has(_source(entry), entry.picture.bytes)}
    places = _by_url(present) if layout == "url" else {url: _source(entry) for url, entry in present.items()}
    files_written = sum(_copy(blobs, entry, root, places[url]) for url, entry in present.items())
    manifest = {url: _line(entry, places[url]) for url, entry in present.items()}
    _replace(root, MANIFEST_NAME, json.dumps(manifest, indent=1, ensure_ascii=False).encode() + b"\n")
    deletions = _forget_old(root, set(places.values()), delete=delete)
    return ExportCounts(len(present), files_written, deletions)


def _forget_old(root: Path, places: set[str], *, delete: bool) -> int:
    """Note which files are exported, and remove those of earlier exports; returns how many were removed."""
    old = {place for place in _exported(root) - places if _is_place(place)}
    removals = {place for place in old if delete and _remove(root, place)}
    lines = sorted(places | (old - removals if not delete else set()))
    _replace(root, EXPORTED_NAME, "".join(f"{line}\n" for line in lines).encode())
    return len(removals)


def _exported(root: Path) -> set[str]:
    """The files that earlier exports wrote, by their own list."""
    with errors_explained(root), suppress(FileNotFoundError), folder(root) as parent:
        descriptor = os.open(EXPORTED_NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        with os.fdopen(descriptor, "rb") as stream:
            return set(stream.read().decode("utf-8", "replace").splitlines())
    return set()


def _is_place(place: str) -> bool:
    """Whether a line names a file that an export may have written."""
    return all(part and part not in {".", ".."} for part in place.split("/")) and place != MANIFEST_NAME


def _remove(root: Path, place: str) -> bool:
    """Remove one file, and the folders that it leaves empty; tell whether it was there."""
    *parts, file = place.split("/")
    with errors_explained(root):
        try:
            with folder(root, parts) as parent:
                os.unlink(file, dir_fd=parent)
        except FileNotFoundError:
            return False
    for depth in range(len(parts), 0, -1):
        with suppress(OSError), folder(root, parts[: depth - 1]) as parent:
            os.rmdir(parts[depth - 1], dir_fd=parent)
    return True


def _line(entry: CachedImage, place: str) -> dict[str, object]:
    picture = entry.picture
    return {
        "file": place,
        "size": picture.bytes,
        "width": picture.size.width if picture.size else None,
        "height": picture.size.height if picture.size else None,
        "format": picture.format,
        "digest": picture.digest,
    }


def _source(entry: CachedImage) -> str:
    return name_of(entry.picture.digest or "", entry.picture.format)


def _by_url(by_url: Mapping[str, CachedImage]) -> dict[str, str]:
    """A place for each URL. One that is taken, or is a folder by now, gives way to a digest of the URL.

    Names that differ by case alone count as one, since some file systems see it so.
    """
    used_places = {MANIFEST_NAME}
    folders: set[str] = set()
    places: dict[str, str] = {}
    for url, entry in by_url.items():
        suffix = suffix_of(entry.picture.format)
        place = place_of(url, suffix)
        above = set(_above(place.lower()))
        if place.lower() in used_places | folders or above & used_places:
            place = f"~/{hashlib.sha256(url.encode()).hexdigest()}.{suffix}"
            above = set(_above(place.lower()))
        places[url] = place
        used_places.add(place.lower())
        folders |= above
    return places


def _above(place: str) -> Iterator[str]:
    parts = place.split("/")
    return ("/".join(parts[:n]) for n in range(1, len(parts)))


def place_of(url: str, suffix: str) -> str:
    """Where a URL is laid out: host and path, encoded; the suffix is what its bytes are."""
    location = url.partition("://")[2]
    host, _, path = location.partition("/")
    *parts, file = path.split("/")
    *parts, file = [*parts[:MAX_FOLDER_DEPTH], "/".join([*parts[MAX_FOLDER_DEPTH:], file])]
    file = encoded(file) or "index"
    if not file.lower().endswith(f".{suffix}"):
        file = f"{file}.{suffix}"
    return "/".join([encoded(host.rpartition("@")[2]), *(encoded(part) or "%" for part in parts), file])


def encoded(text: str) -> str:
    """A text as one name: plain characters as they are, others as %XX; a long one ends in a digest."""
    data = text.encode("utf-8", "surrogatepass")
    name = "".join(chr(byte) if PLAIN_CHARACTER.match(bytes([byte])) else f"%{byte:02X}" for byte in data)
    name = OUTER_DOTS.sub(lambda dots: "%2E" * len(dots[0]), name)
    if len(name) <= MAX_NAME_CHARACTERS:
        return name
    return f"{name[: MAX_NAME_CHARACTERS - 33]}~{hashlib.sha256(data).hexdigest()[:32]}"


def _copy(blobs: BlobStore, entry: CachedImage, root: Path, place: str) -> bool:
    """Copy one file, unless it is there; tell whether it was copied."""
    data = blobs.read(_source(entry))
    *parts, file = place.split("/")
    with (
        errors_explained(root),
        folder(root, parts, create=True) as parent,
        suppress(OSError),
        os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=parent), "rb") as old,
    ):
        if old.read() == data:
            return False
    _replace(root, place, data)
    return True


def _replace(root: Path, place: str, data: bytes) -> None:
    """Write a file beside its place, and put it there when it is whole."""
    *parts, file = place.split("/")
    with errors_explained(root), folder(root, parts, create=True) as parent:
        with suppress(FileNotFoundError):
            os.unlink(PARTIAL_NAME, dir_fd=parent)
        write(os.open(PARTIAL_NAME, NEW_FILE_FLAGS, 0o644, dir_fd=parent), data)
        os.rename(PARTIAL_NAME, file, src_dir_fd=parent, dst_dir_fd=parent)
