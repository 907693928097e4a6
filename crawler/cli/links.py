"""`linkhealth links`: what would be asked, without asking."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

import click

from crawler.cli.choice import WordChoice
from crawler.cli.context import CliContext
from crawler.cli.output import output_file, write
from crawler.config import Config, load
from crawler.errors import UrlError
from crawler.policies import rules_of
from crawler.report.escape import json, printable
from crawler.report.survey import counted, no_links_text, problem_text
from crawler.urls import masked, request_url
from storage.model import Document, RecordProblem
from storage.records import files
from storage.records.body import BODY_FIELD
from storage.records.suggest import rule_for
from storage.records.survey import Survey, surveyed


class FoundLink(NamedTuple):
    """A link, or a value that looks like one: then `kind` is None, and `rule` would take it."""

    record: str
    line: int
    column: int
    field: str
    kind: str | None
    url: str
    rule: str | None


@click.command()
@click.argument("paths", nargs=-1)
@click.option(
    "--format",
    "format_",
    type=WordChoice(["table", "jsonl", "csv"]),
    default="table",
    help="Write in this format; default: table.",
)
@click.option(
    "-o", "--output", metavar="FILE", callback=output_file, help="Write to this file; - is standard output."
)
@click.pass_obj
def links(context: CliContext, paths: tuple[str, ...], format_: str, output: str | None) -> int:
    """Show the links that the records in PATHS hold, and the URL-like values that no rule takes.

    Nothing is asked. The exit code is 2 if there is no link at all.
    """
    config = load(context.config)
    total = Survey()
    write(FORMATS[format_](_rows(config, paths or config.records.paths, total)), output)
    link_count = sum(total.links.values()) + (total.body_links if config.records.body else 0)
    _summarise(total, link_count, quiet=context.quiet)
    return 0 if link_count else 2


def _rows(config: Config, paths: Iterable[str], total: Survey) -> Iterator[FoundLink]:
    """The rows of all files, which are counted meanwhile."""
    problems: list[RecordProblem] = []
    record_paths = files(paths, exclude=config.records.exclude, report=problems.append)
    for document in surveyed(record_paths, rules_of(config)):
        total.add(document)
        yield from _document_rows(config, document)
    total.problems += problems


def _document_rows(config: Config, document: Document) -> Iterator[FoundLink]:
    base = config.records.base_url or None
    for record in document.records:
        for link in record.links:
            if link.field != BODY_FIELD or config.records.body:
                url = _request_url(link.text, base)
                yield FoundLink(record.path, link.line, link.column, link.field, link.kind.value, url, None)
        for value in record.unmapped:
            url, rule = _request_url(value.text, base), rule_for(value.keys)
            yield FoundLink(record.path, value.line, value.column, value.field, None, url, rule)


def _request_url(text: str, base: str | None) -> str:
    try:
        return masked(request_url(text, base))
    except UrlError as exc:
        return f"{masked(text)} ({exc})"


def _summarise(total: Survey, link_count: int, *, quiet: bool) -> None:
    if not link_count:
        click.echo(no_links_text(total), err=True)
    elif not quiet:
        click.echo(f"{counted(link_count, 'link')} in {counted(total.files, 'file')}", err=True)
        if total.unmapped:
            click.echo(
                f"{counted(len(total.unmapped), 'key')} that no rule takes: 'linkhealth init'", err=True
            )
        for problem in total.problems:
            click.echo(problem_text(problem), err=True)


def _table(rows: Iterable[FoundLink]) -> Iterator[str]:
    for row in rows:
        place = f"{printable(row.record)}:{row.line}:{row.column}"
        kind = row.kind or f'no rule: "{printable(row.rule or "")}"'
        yield f"{place}  {printable(row.field)}  {kind}  {printable(row.url)}\n"


def _json_lines(rows: Iterable[FoundLink]) -> Iterator[str]:
    for row in rows:
        yield f"{json(row._asdict())}\n"


def _csv(rows: Iterable[FoundLink]) -> Iterator[str]:
    yield f"{','.join(FoundLink._fields)}\r\n"
    for row in rows:
        line = io.StringIO()
        csv.writer(line).writerow(row)
        yield line.getvalue()


FORMATS: Final[dict[str, Callable[[Iterable[FoundLink]], Iterator[str]]]] = {
    "table": _table,
    "jsonl": _json_lines,
    "csv": _csv,
}
