"""`linkhealth init`: write the configuration that the records want."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click

from crawler.cli.context import CliContext
from crawler.cli.output import write
from crawler.errors import ConfigError
from crawler.report.escape import json
from crawler.report.survey import counted, rule_lines
from storage.records import DEFAULT_RULES, Rules, files
from storage.records.presets import PRESETS
from storage.records.suggest import suggested_rules
from storage.records.survey import Survey, survey

MIN_PRESET_KEYS: Final = 2  # keys that a preset must take to be the one
MIN_PRESET_SHARE: Final = 0.8  # and of the values


@click.command("init")
@click.argument("paths", nargs=-1)
@click.option("-y", "--yes", is_flag=True, help="Write without asking, also over a file that is there.")
@click.option(
    "-o", "--output", metavar="FILE", default="config.toml", help="Write this file; default: config.toml."
)
@click.pass_obj
def init(context: CliContext, paths: tuple[str, ...], *, yes: bool, output: str) -> int:
    """Look at the records in PATHS (default: here), and write a configuration with rules for their keys."""
    roots = paths or (".",)
    total = survey(files(roots), DEFAULT_RULES)
    lines = "".join(f"{line}\n" for line in _configuration(roots, total))
    if output == "-":
        write([lines], None)
        return 0
    if not yes and not _may_write(Path(output), lines):
        return 1
    write([lines], output)
    if not context.quiet:
        click.echo(f"{output} is written; next: linkhealth links, linkhealth audit", err=True)
    return 0


def _may_write(path: Path, lines: str) -> bool:
    """Ask, where somebody can answer.

    Raises:
        ConfigError: the file is there, and nobody can be asked.
    """
    if not sys.stdin.isatty():
        if path.exists():
            raise ConfigError(f"{path} is there already: --yes writes over it")
        return True
    click.echo(lines, err=True)
    question = f"Write over {path}?" if path.exists() else f"Write {path}?"
    return click.confirm(question, default=not path.exists(), err=True)


def _configuration(roots: Sequence[str], total: Survey) -> Iterator[str]:
    """The lines of a configuration; each says why it is there."""
    yield "# Written by 'linkhealth init'. Every key and its default: docs/configuration.md"
    yield ""
    yield "[records]"
    yield f"paths = {json(list(roots))}"
    if total.links:
        yield f"# The default rules take {counted(sum(total.links.values()), 'link')}."
    preset = _preset(total)
    if preset:
        yield f'preset = "{preset}"'
    if total.body_links:
        yield f"# In the text behind the front matter: {counted(total.body_links, 'link')}."
        yield "# body = true" if total.links or total.unmapped else "body = true"
    yield from _rules(total, preset)


def _rules(total: Survey, preset: str | None) -> Iterator[str]:
    rules = Rules(PRESETS[preset].fields) if preset else Rules({})
    samples = [
        (key.keys, key.value.text, key.count)
        for key in total.unmapped.values()
        if rules.match(tuple(key.keys.split("."))) is None
    ]
    if samples:
        yield ""
        yield from rule_lines(suggested_rules(samples))


def _preset(total: Survey) -> str | None:
    """The preset that takes most of what no rule takes, if it takes enough."""
    counts = {name: _taken(Rules(preset.fields), total) for name, preset in PRESETS.items()}
    best = max(counts, key=lambda name: counts[name])
    values, keys = counts[best]
    share = values / max(1, sum(key.count for key in total.unmapped.values()))
    return best if keys >= MIN_PRESET_KEYS and share >= MIN_PRESET_SHARE else None


def _taken(rules: Rules, total: Survey) -> tuple[int, int]:
    """How many values, and how many keys, some rules would take."""
    keys = [key for key in total.unmapped.values() if rules.match(tuple(key.keys.split(".")))]
    return sum(key.count for key in keys), len(keys)
