"""Where a report goes: standard output or a file, and the exit code that it means."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from crawler.config.words import FAIL_ON_WORDS, nearest
from storage.errors import system_reason
from storage.model import Kind

if TYPE_CHECKING:
    from storage.queries.report import Totals


def write(pieces: Iterable[str], path: str | None) -> None:
    """Write the pieces to a file, or to standard output for None and `-`.

    Raises:
        click.ClickException: the file, or standard output, cannot be written.
    """
    if path in {None, "-"}:
        _to_standard_output(pieces)
        return
    try:
        with Path(str(path)).open("w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(pieces)
    except OSError as exc:
        raise click.ClickException(f"-o {path}: cannot be written: {system_reason(exc)}") from exc


def _to_standard_output(pieces: Iterable[str]) -> None:
    out: TextIO | None = sys.stdout
    if out is None:
        raise click.ClickException("standard output is closed")
    out.reconfigure(errors="backslashreplace")  # type: ignore[attr-defined]  # a text stream
    try:
        for piece in pieces:
            out.write(piece)
        out.flush()
    except BrokenPipeError:
        raise  # whoever read it has seen enough
    except OSError as exc:
        # What is left in the buffer would fail once more when the program ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
        raise click.ClickException(f"standard output cannot be written: {system_reason(exc)}") from exc


def shows_terminal() -> bool:
    """Whether standard output is a terminal, where a person reads."""
    return sys.stdout is not None and sys.stdout.isatty()


def output_file(_: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """The file for a report, before hours of work are spent on what cannot be written there."""
    if value in {None, "-"}:
        return value
    path = Path(str(value))
    if path.is_dir():
        raise click.BadParameter(f"{value} is a directory", param=parameter)
    if not path.parent.is_dir():
        raise click.BadParameter(f"there is no folder {path.parent}, make it first", param=parameter)
    return value


def fail_on_list(_: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """A comma-separated list of classes, verdicts, issues and states; `none` is the empty list."""
    if value is None:
        return None
    if value.strip() == "none":
        return ()
    return _words(parameter, value, FAIL_ON_WORDS, "class, verdict, issue or state")


def only_lists(
    _: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[frozenset[str], ...]:
    """Comma-separated lists of classes, verdicts, issues, states and kinds, one for each use."""
    known_words = FAIL_ON_WORDS | set(Kind)
    lists = (
        _words(parameter, value, known_words, "class, verdict, issue, state or kind") for value in values
    )
    return tuple(frozenset(words) for words in lists if words)


def _words(
    parameter: click.Parameter, value: str | None, vocabulary: Collection[str], description: str
) -> tuple[str, ...]:
    words = tuple(word.strip() for word in (value or "").split(",") if word.strip())
    unknown = [word for word in words if word not in vocabulary]
    if unknown:
        hint = nearest(unknown[0], vocabulary)
        raise click.BadParameter(f"{', '.join(unknown)}: no {description}{hint}", param=parameter)
    return words


def failed(totals: Totals, problems: int, fail_on: Collection[str]) -> bool:
    """Whether any of the words asked for was found; a record that cannot be read is an issue."""
    return bool(totals.known & set(fail_on)) or (problems > 0 and "issues" in fail_on)
