"""The text of an XML document as browsers read it, whatever encoding it names."""

from __future__ import annotations

import codecs
import re
from typing import Final

DECLARED_ENCODING: Final = re.compile(
    rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z][\w.:-]{0,39})["']"""
)
XML_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def utf8(data: bytes, *, complete: bool) -> bytes:
    """The document in UTF-8, without a byte order mark; `complete`: all of it, not its beginning.

    Browsers take UTF-8 for UTF-8 even if the document names another encoding, or one that does not
    exist: .NET writes "utf-16" into files in UTF-8. Only bytes that are no UTF-8 are decoded as the
    document says.

    Raises:
        ValueError: the bytes are in no encoding that the document names.
        LookupError: that encoding is unknown.
    """
    for mark, encoding in XML_BYTE_ORDER_MARKS:
        if data.startswith(mark):
            while data.startswith(mark):
                data = data.removeprefix(mark)
            return _recoded(data, encoding, complete=complete)
    if b"\0" in data:
        raise ValueError("NUL")
    try:
        return _recoded(data, "utf-8", complete=complete)
    except UnicodeDecodeError:
        match = DECLARED_ENCODING.match(data.lstrip()[:400])
        if match is None:
            raise
        return _recoded(data, match[1].decode("ascii"), complete=complete)


def _recoded(data: bytes, encoding: str, *, complete: bool) -> bytes:
    """Bytes of an encoding in UTF-8; a character that is cut at the end of a beginning is left out."""
    decoder = codecs.getincrementaldecoder(encoding)()
    text = decoder.decode(data, complete)
    return text.encode("utf-8", "surrogatepass")
