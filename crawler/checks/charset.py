"""From the bytes of a page to its text: any bytes are some text, and nothing is ever raised."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import Final

PRESCAN_BYTES: Final = 1024  # bytes in which a page has to name its charset (HTML, 13.2.3.2)
CHARSETS_BY_MARK: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# The encodings that a page may name (encoding.spec.whatwg.org, 4.2), by Python's names. Codecs of
# Python that are no charsets of the web (punycode, unicode_escape, utf-7) are not among them.
WEB_CHARSETS: Final = frozenset(
    {
        *(f"cp125{n}" for n in range(9)),
        *(f"iso8859-{n}" for n in range(1, 17)),
        *("ascii", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "cp866", "cp874", "cp932", "cp949"),
        *("big5", "big5hkscs", "euc_jp", "euc_kr", "gb18030", "gb2312", "gbk", "iso2022_jp"),
        *("koi8-r", "koi8-u", "mac-cyrillic", "mac-roman", "shift_jis", "tis-620"),
    }
)
# Names that stand for a wider encoding than they say (as above).
CHARSET_SUPERSETS: Final[Mapping[str, str]] = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "tis-620": "cp874",
    "utf-16": "utf-16-le",
}


def decode_page(body: bytes, content_type: str) -> str:
    """The text of a page: by its byte order mark, its Content-Type, its own word, else UTF-8.

    What does not fit the charset becomes U+FFFD.
    """
    for mark, name in CHARSETS_BY_MARK:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    name = (
        web_charset(charset_parameter(content_type))
        or meta_charset(body[:PRESCAN_BYTES])
        or _charset_by_zero_bytes(body)
    )
    return body.decode(name, "replace")


def charset_parameter(content_type: str) -> str:
    """The charset parameter of a Content-Type; "" where there is none."""
    for parameter in content_type.split(";")[1:]:
        name, equals, value = parameter.partition("=")
        if equals and name.strip().lower() == "charset":
            return value.strip().strip('"').strip()
    return ""


def web_charset(name: str) -> str | None:
    """Python's name of a charset of the web; None for any other word."""
    try:
        codec_name = codecs.lookup(name.strip().strip("\"'")).name
    except (LookupError, ValueError):
        return None
    codec_name = codec_name.replace("_", "-") if codec_name.startswith(("utf_", "iso8859_")) else codec_name
    return CHARSET_SUPERSETS.get(codec_name, codec_name) if codec_name in WEB_CHARSETS else None


def meta_charset(start: bytes) -> str | None:
    """What the first bytes say in a meta element; a page that can say so is not in UTF-16."""
    text = start.decode("latin-1").lower()
    at = text.find("charset")
    while at >= 0:
        value = text[at + len("charset") :].lstrip()
        if value.startswith("="):
            charset = web_charset(_attribute_value(value[1:].lstrip(" \t\r\n\"'")))
            if charset is not None:
                return "utf-8" if charset.startswith("utf-16") else charset
        at = text.find("charset", at + 1)
    return None


def _attribute_value(text: str) -> str:
    end = next((n for n, letter in enumerate(text) if letter in " \t\r\n\"'>;/"), len(text))
    return text[:end]


def _charset_by_zero_bytes(body: bytes) -> str:
    """UTF-8, or UTF-16 where every other byte of the first ones is zero."""
    start = body[:64]
    if len(start) >= 4 and 0 in start:  # noqa: PLR2004 - two characters
        if not any(start[1::2]):
            return "utf-16-le"
        if not any(start[::2]):
            return "utf-16-be"
    return "utf-8"
