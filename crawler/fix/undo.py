"""Put the old letters of an edited file back, and prove that it is what it was. Pure."""

from __future__ import annotations

import hashlib
from typing import Final

from crawler.fix.atomic_write import FileLeftAlone
from crawler.fix.source_text import SourceText
from storage.edits import EditedFile

CHANGED_SINCE_REASON: Final = "it has changed since it was corrected"


def put_back(file: EditedFile, data: bytes) -> bytes:
    """The bytes that a file had before its edits.

    Raises:
        FileLeftAlone: they do not come back letter by letter.
    """
    text = SourceText(data)
    parts: list[str] = []
    end = 0
    for edit in file.edits:
        parts += [text.letters[end : edit.start], edit.old_text]
        end = edit.start + len(edit.new_text)
    old = text.encoded("".join([*parts, text.letters[end:]]))
    if hashlib.sha256(old).hexdigest() != file.digest_before:
        raise FileLeftAlone(CHANGED_SINCE_REASON)
    return old
