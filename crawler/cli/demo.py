"""`linkhealth demo`: all of it, on a small web of its own."""

from __future__ import annotations

import click

from crawler.cli.context import CliContext


@click.command()
@click.pass_obj
def demo(context: CliContext) -> int:
    """Show the main job on a small web on this machine; needs no internet."""
    from crawler.demo import run  # noqa: PLC0415 - whoever asks for help needs none of it

    return run(quiet=context.quiet)
