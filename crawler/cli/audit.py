"""`linkhealth audit`: check every due target."""

from __future__ import annotations

from typing import Final, Unpack

import click

from crawler.cli.context import CliContext
from crawler.cli.run_options import RunOptions, run_options

AUDIT_EXAMPLES: Final = """\b
Examples:
  linkhealth audit content/posts
  linkhealth audit --force --only-kind image
  linkhealth audit --format jsonl -o findings.jsonl
  git diff --name-only | linkhealth audit --files-from -
"""


@click.command(epilog=AUDIT_EXAMPLES)
@run_options
@click.pass_obj
def audit(context: CliContext, /, **options: Unpack[RunOptions]) -> int:
    """Check every due target of the records in PATHS (default: those of the configuration)."""
    from crawler.cli.run_command import AUDIT, perform  # noqa: PLC0415 - whoever asks for help needs none of it

    return perform(AUDIT, context, options)
