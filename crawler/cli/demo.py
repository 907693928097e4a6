"""`linkhealth demo`: all of it, on a small web of its own."""

from __future__ import annotations

from typing import Any

import click

from crawler.demo import run


@click.command()
@click.pass_obj
def demo(obj: dict[str, Any]) -> int:
    """Show the main job on a small web on this machine; needs no internet."""
    return run(quiet=obj["quiet"])
