"""`linkhealth refresh` and `linkhealth run`: bring the image cache up to date, alone or with an audit."""

from __future__ import annotations

from typing import Unpack

import click

from crawler.cli.context import CliContext
from crawler.cli.run_options import RunOptions, cache_run_options


@click.command()
@cache_run_options
@click.pass_obj
def refresh(context: CliContext, /, **options: Unpack[RunOptions]) -> int:
    """Bring the image cache up to date with the records in PATHS (default: those of the configuration)."""
    from crawler.cli.run_command import REFRESH, perform  # noqa: PLC0415 - whoever asks for help needs none of it

    return perform(REFRESH, context, options)


@click.command("run")
@cache_run_options
@click.pass_obj
def run(context: CliContext, /, **options: Unpack[RunOptions]) -> int:
    """Audit and refresh in one pass: what cron calls."""
    from crawler.cli.run_command import RUN, perform  # noqa: PLC0415 - whoever asks for help needs none of it

    return perform(RUN, context, options)
