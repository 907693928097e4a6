"""`linkhealth worker`: help with the run that machines share."""

from __future__ import annotations

import click

from crawler.cli.context import CliContext


@click.command()
@click.option("--wait", is_flag=True, help="Wait for a run, and for the next, until told to end.")
@click.option("--name", default="", help="Show this name in 'linkhealth status'.")
@click.option("--no-progress", is_flag=True, help="Show no progress.")
@click.pass_obj
def worker(context: CliContext, /, *, wait: bool, name: str, no_progress: bool) -> int:
    """Work in the run that is open in the configured database, until nothing of it is."""
    from crawler.cli.worker_command import work  # noqa: PLC0415 - whoever asks for help needs none of it

    return work(context, wait=wait, name=name, no_progress=no_progress)
