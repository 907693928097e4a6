"""`linkhealth refresh` and `linkhealth run`: bring the image cache up to date, alone or with an audit."""

from __future__ import annotations

from typing import Any

import click

from crawler import app
from crawler.cli.audit import perform, run_options


@click.command()
@run_options
@click.pass_obj
def refresh(obj: dict[str, Any], /, **options: Any) -> int:
    """Bring the image cache up to date with the records in PATHS (default: those of the configuration)."""
    return perform(app.REFRESH, obj, options)


@click.command("run")
@run_options
@click.pass_obj
def run(obj: dict[str, Any], /, **options: Any) -> int:
    """Audit and refresh in one pass: what cron calls."""
    return perform(app.RUN, obj, options)
