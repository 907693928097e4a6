"""What a file is, by its first bytes alone: neither its suffix nor its type has a say."""

from __future__ import annotations

import re
from typing import Final

ISO_BRANDS: Final = {  # those that say less come last
    b"avif": "AVIF",
    b"avis": "AVIF",
    b"heic": "HEIC",
    b"heix": "HEIC",
    b"heim": "HEIC",
    b"heis": "HEIC",
    b"hevc": "HEIC",
    b"hevx": "HEIC",
    b"mif1": "HEIF",
    b"msf1": "HEIF",
}
MAX_BRAND_BYTES: Final = 256  # bytes in which the brands are looked for
IMAGE_MAGICS: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"\0\0\1\0", "ICO"),
    (b"\0\0\2\0", "CUR"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG2000"),
    (b"\xff\x4f\xff\x51", "JPEG2000"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JXL"),
    (b"\xff\x0a", "JXL"),
    (b"8BPS", "PSD"),
    (b"DDS ", "DDS"),
)
FOREIGN_MAGICS: Final[tuple[tuple[re.Pattern[bytes], str], ...]] = (
    (re.compile(rb"icns"), "Apple icon"),
    (re.compile(rb"P[1-7fF][\s#]"), "Netpbm"),
    (re.compile(rb"\x01\xda[\0\1][\1\2]"), "SGI"),
    (re.compile(rb"BLP[12]"), "BLP"),
    (re.compile(rb"\xabKTX"), "KTX"),
    (re.compile(rb"....[\x11\x12]\xaf", re.DOTALL), "FLI"),
)
OTHER_MAGICS: Final[tuple[tuple[bytes, str], ...]] = (
    (b"%PDF-", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "gzip data"),
    (b"OggS", "an Ogg file"),
    (b"ID3", "an MP3 file"),
    (b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
    (b"FLV", "a Flash video"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x7fELF", "a program"),
)
HTML_START: Final = re.compile(rb"<!doctype html|<html|<head|<body|<script|<title|<div|<meta", re.IGNORECASE)
SVG_START: Final = re.compile(rb"<(?:\w+:)?svg[\s>/]", re.IGNORECASE)
MIN_SNIFF_BYTES: Final = 64  # fewer bytes tell no format


def image_kind(data: bytes) -> str | None:
    """The format of image bytes, or None."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp":
        return _iso_kind(data)
    return next((name for magic, name in IMAGE_MAGICS if data.startswith(magic)), None)


def _iso_kind(data: bytes) -> str | None:
    """The first brand that says which codec it is; the general ones do not."""
    end = min(int.from_bytes(data[:4], "big"), len(data), MAX_BRAND_BYTES)
    brands = {data[n : n + 4] for n in (8, *range(16, end, 4))}
    return next((name for brand, name in ISO_BRANDS.items() if brand in brands), None)


def svg_inside(data: bytes) -> bool:
    """Whether nothing but a prolog stands before what looks like the root of an SVG."""
    text = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:8192]
    root = SVG_START.search(text)
    return root is not None and HTML_START.search(text[: root.start()]) is None


def foreign_kind(data: bytes) -> str | None:
    """The format of a picture that no page shows and nothing here reads, or None."""
    return next((name for magic, name in FOREIGN_MAGICS if magic.match(data)), None)


def other_kind(data: bytes) -> str | None:
    """What bytes are that are no image, or None if they do not tell."""
    if data[4:8] == b"ftyp":
        return "a video (MP4)"
    for magic, name in OTHER_MAGICS:
        if data.startswith(magic):
            return name
    text = data[:2048].lstrip(b"\xef\xbb\xbf \t\r\n")
    if HTML_START.search(text):
        return "an HTML page"
    if b"\0" in text:
        return None
    return _text_kind(text)


def _text_kind(text: bytes) -> str | None:
    control = sum(byte < 32 and byte not in b"\t\r\n\f\x1b" for byte in text)  # noqa: PLR2004 - ASCII
    if control or not text:
        return None
    try:
        text.decode()
    except UnicodeDecodeError as exc:
        if exc.start < len(text) - 4:
            return None
    if text[:1] in b"{[":
        return "JSON"
    return "XML" if text.startswith(b"<?xml") else "text"
