"""What `linkhealth doctor` does."""

from __future__ import annotations

from collections.abc import Iterator

import click

from crawler.cli.context import CliContext
from crawler.config import Config
from crawler.config.load import load_with_origins
from crawler.doctor import CheckResult, examine
from crawler.errors import ConfigError
from crawler.report.escape import printable


def tell_health(context: CliContext) -> int:
    """Write what was looked at, a line each; 1 if something is wrong."""
    healthy = True
    for result in _results(context):
        mark = "ok  " if result.passed else "BAD "
        click.echo(f"{mark} {result.name:<13} {printable(result.observation)}")
        if not result.passed and result.remedy:
            click.echo(f"     {'':<13} -> {printable(result.remedy)}")
        healthy = healthy and result.passed
    return 0 if healthy else 1


def _results(context: CliContext) -> Iterator[CheckResult]:
    """The configuration first; where it has mistakes, the rest is looked at with the defaults."""
    try:
        loaded_config = load_with_origins(context.config)
    except ConfigError as exc:
        for line in str(exc).splitlines():
            yield CheckResult("configuration", passed=False, observation=line)
        yield from examine(Config())
        return
    source = loaded_config.source or "no file, so the defaults hold"
    yield CheckResult("configuration", passed=True, observation=source)
    yield from examine(loaded_config.config)
