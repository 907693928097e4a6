"""`linkhealth diff`: what changed state between two runs."""

from __future__ import annotations

import click

from crawler.cli.choice import WordChoice
from crawler.cli.context import CliContext
from crawler.cli.output import output_file
from crawler.config import load
from crawler.report.names import DIFF_FORMATS


@click.command()
@click.option("--since", type=int, metavar="RUN", help="Compare with this run; default: the last but one.")
@click.option(
    "--format",
    "format_",
    type=WordChoice(DIFF_FORMATS),
    default="table",
    help="Write in this format; default: table.",
)
@click.option(
    "-o", "--output", metavar="FILE", callback=output_file, help="Write to this file; - is standard output."
)
@click.pass_obj
def diff(context: CliContext, since: int | None, format_: str, output: str | None) -> int:
    """Tell what died, fell under suspicion, came back or moved since a run; nothing, if nothing did.

    The exit code is 1 if something got worse.
    """
    from crawler.cli.diff_command import tell_changes  # noqa: PLC0415 - whoever asks for help needs none of it

    return tell_changes(load(context.config), since, format_, output)
