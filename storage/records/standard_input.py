"""What comes on standard input has no name: which suffix a file with its bytes would have."""

from __future__ import annotations

import json
import re
from typing import Final

from storage.records.decoding import normalised
from storage.records.rules import URL_LIKE

BEGINNINGS: Final = ((b"---", ".yaml"), (b"+++", ".md"), (b";;;", ".md"), (b"<", ".xml"))
# What the first line that is no comment looks like, by suffix, in the order of trying.
FIRST_LINES: Final = (
    (re.compile(r"\[\[?[A-Za-z_][\w.-]*\]\]?\s*(?:#.*)?"), ".toml"),
    (re.compile(r"\[.*"), ".json"),
    (re.compile(URL_LIKE.pattern, re.IGNORECASE), ".urls"),
    (re.compile(r"[\w.\"'-]+\s*=.*"), ".toml"),
    (re.compile(r"(?:- +)*(?:[\w.@$-][\w.@$ -]*|\"[^\"]*\"|'[^']*')\s*:(?:\s.*)?|- .*|-"), ".yaml"),
    (re.compile(r"[^\t]*\t.*"), ".tsv"),
    (re.compile(r"[^,;]*[,;].*"), ".csv"),
)


def name_for(data: bytes) -> str:
    """A file name with the suffix that fits: records in any language, else a list of URLs."""
    content = normalised(data).lstrip()
    suffix = next((suffix for beginning, suffix in BEGINNINGS if content.startswith(beginning)), None)
    return f"standard input{suffix or _suffix(content)}"


def _suffix(content: bytes) -> str:
    lines = (line.decode(errors="replace").strip(" \r") for line in content.split(b"\n"))
    first_line = next((line for line in lines if line and not line.startswith("#")), "")
    if first_line.startswith("{"):
        return ".jsonl" if _is_json(first_line) and b"\n" in content.strip() else ".json"
    return next((suffix for pattern, suffix in FIRST_LINES if pattern.fullmatch(first_line)), ".urls")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
