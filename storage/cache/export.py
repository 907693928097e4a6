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
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from storage.cache.folders import WRITE, folder, told, write
from storage.cache.index import entries, named
from storage.cache.names import name_of, suffix_of
from storage.cache.store import Store
from storage.model import Cached

LAYOUTS: Final = ("url", "digest")
MANIFEST: Final = "manifest.json"
PLAIN: Final = re.compile(rb"[A-Za-z0-9._-]")
DOTS: Final = re.compile(r"^\.+|\.+$")
LONGEST: Final = 180  # characters of a name; file systems take 255 bytes
DEEPEST: Final = 16  # folders below one another
PART: Final = ".part"  # how a copy is called until it is whole


@dataclass(frozen=True, slots=True)
class Exported:
    """What was exported: how many URLs, and how many files were written anew."""

    urls: int
    written: int


def export(blobs: Store, engine: sa.Engine, root: Path, layout: str) -> Exported:
    """Copy what records name into a folder; what is there already, whole, is left as it is.

    `layout` "url" lays files out by host and path, "digest" as in the cache. A file of the cache
    that is gone is left out.

    Raises:
        CacheError: a folder cannot be read or written.
        LedgerError: the database cannot be read.
    """
    known = entries(engine)
    wanted = {url: known[key] for key, url in sorted(named(engine).items(), key=lambda pair: pair[1])}
    present = {url: one for url, one in wanted.items() if blobs.has(_source(one), one.picture.bytes)}
    places = _by_url(present) if layout == "url" else {url: _source(one) for url, one in present.items()}
    written = sum(_copy(blobs, one, root, places[url]) for url, one in present.items())
    manifest = {url: _line(one, places[url]) for url, one in present.items()}
    _replace(root, MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False).encode() + b"\n")
    return Exported(len(present), written)


def _line(entry: Cached, place: str) -> dict[str, Any]:
    picture = entry.picture
    return {
        "file": place,
        "size": picture.bytes,
        "width": picture.size.width if picture.size else None,
        "height": picture.size.height if picture.size else None,
        "format": picture.format,
        "digest": picture.digest,
    }


def _source(entry: Cached) -> str:
    return name_of(entry.picture.digest or "", entry.picture.format)


def _by_url(wanted: Mapping[str, Cached]) -> dict[str, str]:
    """A place for each URL. One that is taken, or is a folder by now, gives way to a digest of the URL.

    Names that differ by case alone count as one, since some file systems see it so.
    """
    taken = {MANIFEST}
    folders: set[str] = set()
    places: dict[str, str] = {}
    for url, entry in wanted.items():
        suffix = suffix_of(entry.picture.format)
        place = place_of(url, suffix)
        above = set(_above(place.lower()))
        if place.lower() in taken | folders or above & taken:
            place = f"~/{hashlib.sha256(url.encode()).hexdigest()}.{suffix}"
            above = set(_above(place.lower()))
        places[url] = place
        taken.add(place.lower())
        folders |= above
    return places


def _above(place: str) -> Iterator[str]:
    parts = place.split("/")
    return ("/".join(parts[:n]) for n in range(1, len(parts)))


def place_of(url: str, suffix: str) -> str:
    """Where a URL is laid out: host and path, encoded; the suffix is what its bytes are."""
    rest = url.partition("://")[2]
    host, _, path = rest.partition("/")
    *parts, file = path.split("/")
    *parts, file = [*parts[:DEEPEST], "/".join([*parts[DEEPEST:], file])]
    file = encoded(file) or "index"
    if not file.lower().endswith(f".{suffix}"):
        file = f"{file}.{suffix}"
    return "/".join([encoded(host.rpartition("@")[2]), *(encoded(part) or "%" for part in parts), file])


def encoded(text: str) -> str:
    """A text as one name: plain characters as they are, others as %XX; a long one ends in a digest."""
    data = text.encode("utf-8", "surrogatepass")
    name = "".join(chr(one) if PLAIN.match(bytes([one])) else f"%{one:02X}" for one in data)
    name = DOTS.sub(lambda dots: "%2E" * len(dots[0]), name)
    if len(name) <= LONGEST:
        return name
    return f"{name[: LONGEST - 33]}~{hashlib.sha256(data).hexdigest()[:32]}"


def _copy(blobs: Store, entry: Cached, root: Path, place: str) -> bool:
    """Copy one file, unless it is there; tell whether it was copied."""
    data = blobs.read(_source(entry))
    *parts, file = place.split("/")
    with (
        told(root),
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
    with told(root), folder(root, parts, create=True) as parent:
        with suppress(FileNotFoundError):
            os.unlink(PART, dir_fd=parent)
        write(os.open(PART, WRITE, 0o644, dir_fd=parent), data)
        os.rename(PART, file, src_dir_fd=parent, dst_dir_fd=parent)
