"""`linkhealth explain`: everything known about one target."""

from __future__ import annotations

import click

from crawler.cli.context import CliContext
from crawler.config import load


@click.command()
@click.argument("url")
@click.pass_obj
def explain(context: CliContext, url: str) -> int:
    """Tell everything known about the target URL."""
    from crawler.cli.explain_command import tell_story  # noqa: PLC0415 - whoever asks for help needs none of it

    return tell_story(load(context.config), url)
