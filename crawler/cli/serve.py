"""`linkhealth serve`: the dashboard."""

from __future__ import annotations

import click

from crawler.cli.context import CliContext


@click.command("serve")
@click.option(
    "--port", type=click.IntRange(0, 65_535), help="Default: [dashboard] port; 0 is any that is free."
)
@click.pass_obj
def serve_(context: CliContext, port: int | None) -> int:
    """Show what is known, as pages, until Ctrl-C."""
    from crawler.cli.serve_command import show_dashboard  # noqa: PLC0415 - whoever asks for help needs none of it

    return show_dashboard(context, port)
