"""`linkhealth doctor`: is this machine fit?"""

from __future__ import annotations

import click

from crawler.cli.context import CliContext


@click.command()
@click.pass_obj
def doctor(context: CliContext) -> int:
    """Check this machine and the configuration: what is wrong, and how to mend it."""
    from crawler.cli.doctor_command import tell_health  # noqa: PLC0415 - whoever asks for help needs none of it

    return tell_health(context)
