"""`linkhealth report`: what is known, in the form you like."""

from __future__ import annotations

from typing import TypedDict, Unpack

import click

from crawler.cli.choice import WordChoice
from crawler.cli.context import CliContext
from crawler.cli.output import fail_on_list, only_lists, output_file
from crawler.report.names import REPORT_FORMATS, SORT_NAMES, VIEW_NAMES


class ReportOptions(TypedDict):
    """The values of the options of `report`."""

    number: int | None
    since: str | None
    paths: tuple[str, ...]
    only: tuple[frozenset[str], ...]
    sort: str | None
    limit: int | None
    by: str | None
    suspects: bool
    format_: str | None
    output: str | None
    fail_on: tuple[str, ...] | None


@click.command()
@click.argument("paths", nargs=-1)
@click.option("--run", "number", type=int, help="Report the findings of this run alone.")
@click.option(
    "--since", metavar="RUN-OR-DATE", help="Report what was found after that run, or from that day on."
)
@click.option(
    "--only",
    callback=only_lists,
    multiple=True,
    metavar="NAME,...",
    help="Report one of these classes, verdicts, issues, states or kinds; several --only must all hold.",
)
@click.option("--sort", type=WordChoice(SORT_NAMES), help="Sort by this; default: by class.")
@click.option("--limit", type=click.IntRange(min=0), help="Show this many targets at most; all are counted.")
@click.option("--by", type=WordChoice(VIEW_NAMES), help="Group by record, or count by host, verdict or kind.")
@click.option("--suspects", is_flag=True, help="Report the pictures that may be placeholders.")
@click.option(
    "--format",
    "format_",
    type=WordChoice(REPORT_FORMATS),
    help="Write in this format; default: table, or one screen on a terminal.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    callback=output_file,
    help="Write the report to this file; - is standard output.",
)
@click.option(
    "--fail-on",
    callback=fail_on_list,
    metavar="NAME,...",
    help="End with 1 if one of these names was found; without it, a report ends with 0.",
)
@click.pass_obj
def report(context: CliContext, /, **options: Unpack[ReportOptions]) -> int:
    """Report the newest finding of every target that the records in PATHS name, or one run's.

    Without PATHS, all records that were read are reported. The exit code is 0 unless --fail-on is given.
    """
    from crawler.cli.report_command import tell_report  # noqa: PLC0415 - whoever asks for help needs none of it

    return tell_report(context, options)
