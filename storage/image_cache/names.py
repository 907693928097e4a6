"""What a file of the cache is called: by the SHA-256 of its bytes and its format, by nothing else."""

from __future__ import annotations

import hashlib
import re
from types import MappingProxyType
from typing import Final

ALGORITHM: Final = "sha256:"
SUFFIX_BY_FORMAT: Final = MappingProxyType(
    {
        "JPEG": "jpg",
        "PNG": "png",
        "GIF": "gif",
        "WEBP": "webp",
        "AVIF": "avif",
        "HEIC": "heic",
        "HEIF": "heif",
        "SVG": "svg",
        "BMP": "bmp",
        "ICO": "ico",
        "CUR": "cur",
        "TIFF": "tif",
        "JPEG2000": "jp2",
        "JXL": "jxl",
        "PSD": "psd",
        "DDS": "dds",
    }
)
FAN_FOLDER: Final = re.compile(r"[0-9a-f]{2}")
BLOB_FILE: Final = re.compile(r"([0-9a-f]{62})\.([a-z0-9]{2,4})")


def digest_of(data: bytes) -> str:
    """The digest of some bytes, as the index and reports write it: "sha256:...", in hex."""
    return ALGORITHM + hashlib.sha256(data).hexdigest()


def name_of(digest: str, format_: str) -> str:
    """Where the file of a digest lies below the cache: "ab/cdef....png"."""
    digits = digest.removeprefix(ALGORITHM)
    return f"{digits[:2]}/{digits[2:]}.{suffix_of(format_)}"


def suffix_of(format_: str) -> str:
    """The suffix of a format, without its dot."""
    return SUFFIX_BY_FORMAT.get(format_, "bin")


def named_digest(folder: str, file: str) -> str | None:
    """The digest that the name of a file stands for; None if it is no name of ours."""
    match = BLOB_FILE.fullmatch(file)
    return f"{ALGORITHM}{folder}{match[1]}" if match and FAN_FOLDER.fullmatch(folder) else None
