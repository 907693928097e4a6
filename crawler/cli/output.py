"""Where a report goes: standard output or a file, and the exit code that it means."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TextIO

import click

from crawler.config.load import WORDS
from storage.model import Kind
from storage.queries import Totals


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
        raise click.ClickException(f"-o {path}: cannot be written: {exc.strerror}") from exc


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
        raise click.ClickException(f"standard output cannot be written: {exc.strerror}") from exc


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


def word_list(_: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    """A comma-separated list of classes, verdicts, issues and states."""
    return _words(parameter, value, WORDS, "class, verdict, issue or state")


def word_or_kind_list(_: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    """A comma-separated list of classes, verdicts, issues, states and kinds."""
    return _words(parameter, value, WORDS | set(Kind), "class, verdict, issue, state or kind")


def _words(
    parameter: click.Parameter, value: str | None, known: Collection[str], what: str
) -> tuple[str, ...]:
    words = tuple(word.strip() for word in (value or "").split(",") if word.strip())
    unknown = [word for word in words if word not in known]
    if unknown:
        raise click.BadParameter(f"{', '.join(unknown)}: no {what}", param=parameter)
    return words


def failed(totals: Totals, problems: int, fail_on: Collection[str]) -> bool:
    """Whether any of the words asked for was found; a record that cannot be read is an issue."""
    return bool(totals.known & set(fail_on)) or (problems > 0 and "issues" in fail_on)
