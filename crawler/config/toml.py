"""A file of TOML as a table, and why it is none in words of our own."""

from __future__ import annotations

import tomllib
from pathlib import Path

from crawler.errors import ConfigError
from storage.errors import system_reason


def read_table(path: str) -> dict[str, object]:
    """The table that stands in a file.

    Raises:
        ConfigError: it cannot be read, or is no TOML; the text says why.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as exc:
        raise ConfigError(f"{path}: not UTF-8: byte 0x{exc.object[exc.start]:02x}") from exc
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read: {system_reason(exc)}") from exc
    try:
        return tomllib.loads(text)
    except ValueError as exc:  # TOMLDecodeError is one, and so is what a number of 5,000 digits raises
        raise ConfigError(f"{path}: not TOML: {toml_reason(exc, text)}") from exc
    except RecursionError as exc:
        raise ConfigError(f"{path}: not TOML: nested too deep") from exc


def read_value(text: str) -> object:
    """A text as the value of a key, or as itself where it is no TOML."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def toml_reason(exc: ValueError, text: str) -> str:
    """What a parser of TOML said of this text, in our words, with the line as far as it tells that."""
    from storage.records.toml_mistakes import (  # noqa: PLC0415 - readers of records, for a mistake only
        toml_line,
        toml_meaning,
    )

    line = toml_line(exc, text)
    return f"{'' if line is None else f'line {line}: '}{toml_meaning(exc)}"
