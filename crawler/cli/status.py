"""`linkhealth status`: where things stand."""

from __future__ import annotations

import click

from crawler.cli.choice import WordChoice
from crawler.cli.context import CliContext


@click.command()
@click.option(
    "--format",
    "format_",
    type=WordChoice(["table", "json"]),
    default="table",
    help="Write in this format; default: table.",
)
@click.pass_obj
def status(context: CliContext, format_: str) -> int:
    """Show where things stand: the last run, what is due and when, who holds the lock, who works on what.

    Of a run that machines share, its workers, their leases and what is left are shown, too.
    """
    from crawler.cli.status_command import show_status  # noqa: PLC0415 - whoever asks for help needs none of it

    return show_status(context, format_)
