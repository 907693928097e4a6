"""`linkhealth doctor`: is this machine fit?"""

from __future__ import annotations

from typing import Any

import click

from crawler.config import load
from crawler.doctor import examine


@click.command()
@click.pass_obj
def doctor(obj: dict[str, Any]) -> int:
    """Check this machine: what is wrong, and how to mend it."""
    config = load(obj["config"])
    fine = True
    for one in examine(config):
        mark = "ok  " if one.fine else "BAD "
        click.echo(f"{mark} {one.name:<13} {one.found}")
        if not one.fine:
            click.echo(f"     {'':<13} -> {one.cure}")
        fine = fine and one.fine
    return 0 if fine else 1
