"""`.linkhealthignore`: URLs to leave out, a pattern a line, with the reason behind `#`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from crawler.errors import ConfigError
from storage.errors import system_reason

IGNORE_FILE: Final = ".linkhealthignore"
REASON: Final = re.compile(r"(?:^|\s)#.*")


def ignored_patterns(folder: Path) -> tuple[str, ...]:
    """The patterns of the file in a folder; none where there is no such file.

    Raises:
        ConfigError: it cannot be read, or lines of it are no patterns; the text names each.
    """
    path = folder / IGNORE_FILE
    if not path.is_file():
        return ()
    patterns: list[str] = []
    mistakes: list[str] = []
    for number, line in enumerate(_lines(path), 1):
        pattern = REASON.sub("", line).strip()
        objection = _objection(pattern)
        if objection is not None:
            mistakes.append(f"{path}: line {number}: {objection}")
        elif pattern:
            patterns.append(pattern)
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return tuple(patterns)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as exc:
        line = exc.object.count(b"\n", 0, exc.start) + 1
        raise ConfigError(f"{path}: line {line}: not UTF-8: byte 0x{exc.object[exc.start]:02x}") from exc
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read: {system_reason(exc)}") from exc


def _objection(pattern: str) -> str | None:
    """Why a pattern is none."""
    if not pattern.isprintable():
        return "a control character"
    if " " in pattern:
        return "a space inside a pattern: write # before the reason"
    if pattern and leaves_all_out(pattern):
        return f"{pattern} leaves everything out"
    return None


def leaves_all_out(pattern: str) -> bool:
    """Whether a pattern fits every URL, so that nothing would be asked."""
    return not pattern.strip("*?./: ")
