"""`linkhealth schema`: the JSON Schema of what reports write."""

from __future__ import annotations

import click
import msgspec

from crawler.cli.choice import WordChoice
from crawler.cli.output import write
from crawler.report.schema import SCHEMA_TYPES, json_schema


@click.command()
@click.option(
    "--format",
    "format_",
    type=WordChoice(list(SCHEMA_TYPES)),
    default="json",
    help="Print the schema of this format; default: json.",
)
def schema(format_: str) -> int:
    """Print the JSON Schema of `report --format json`, or of one line of `--format jsonl`."""
    text = msgspec.json.format(msgspec.json.encode(json_schema(format_)), indent=2).decode()
    write([text, "\n"], None)
    return 0
