"""Where a report goes: standard output or a file, and the exit code that it means."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable
from pathlib import Path

import click

from crawler.config.load import WORDS
from storage.queries import Totals


def write(pieces: Iterable[str], path: str | None) -> None:
    """Write the pieces to a file, or to standard output for None and `-`.

    Raises:
        click.ClickException: the file cannot be written.
    """
    if path in {None, "-"}:
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a text stream
        for piece in pieces:
            sys.stdout.write(piece)
        sys.stdout.flush()
        return
    try:
        with Path(str(path)).open("w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(pieces)
    except OSError as exc:
        raise click.ClickException(f"-o {path}: cannot be written: {exc.strerror}") from exc


def word_list(_: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    """A comma-separated list of classes, verdicts, issues and states."""
    words = tuple(word.strip() for word in (value or "").split(",") if word.strip())
    unknown = [word for word in words if word not in WORDS]
    if unknown:
        raise click.BadParameter(f"{', '.join(unknown)}: no class, verdict, issue or state", param=parameter)
    return words


def failed(totals: Totals, problems: int, fail_on: Collection[str]) -> bool:
    """Whether any of the words asked for was found; a record that cannot be read is an issue."""
    return bool(totals.known & set(fail_on)) or (problems > 0 and "issues" in fail_on)
