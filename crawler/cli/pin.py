"""`linkhealth pin`: a person's word on a target."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import TypedDict, Unpack

import click
import sqlalchemy as sa

from crawler.cli.choice import WordChoice
from crawler.cli.context import CliContext
from crawler.cli.output import write
from crawler.config import load
from crawler.report.escape import printable
from crawler.report.target_json import moment
from crawler.urls import masked, typed_url
from storage import pins
from storage.db.database import open_engine, open_or_empty
from storage.model import Pin, PinWord
from storage.queries import report as queries


class PinOptions(TypedDict):
    """The values of the arguments and options of `pin`."""

    url: str | None
    word: str | None
    why: str | None
    remove: bool


@click.command()
@click.argument("url", required=False)
@click.argument("word", required=False, type=WordChoice([word.value for word in PinWord]))
@click.option("--why", metavar="TEXT", help="Give the reason; a pin must have one.")
@click.option("--remove", is_flag=True, help="Forget the pin on URL.")
@click.pass_obj
def pin(context: CliContext, /, **options: Unpack[PinOptions]) -> int:
    """Say that the target URL is alive, dead, or to be ignored; without URL, list what was said."""
    _check(options)
    config = load(context.config)
    open_database = open_engine if options["word"] else open_or_empty
    engine = open_database(config.database.url)
    try:
        if options["url"] is None:
            write(map(_line, pins.pins(engine)), None)
            return 0
        url = masked(typed_url(options["url"], config.records.base_url or None))
        return _remove(engine, url) if options["remove"] else _put(engine, url, options)
    finally:
        engine.dispose()


def _check(options: PinOptions) -> None:
    """Refuse words that make no sense together.

    Raises:
        click.UsageError: they do not.
    """
    word, why = options["word"], (options["why"] or "").strip()
    if options["remove"] and (word or why or options["url"] is None):
        raise click.UsageError("--remove goes with a URL and nothing else")
    if options["url"] is not None and not options["remove"] and not (word and why):
        raise click.UsageError("write pin URL alive|dead|ignore --why TEXT, or pin URL --remove")


def _put(engine: sa.Engine, url: str, options: PinOptions) -> int:
    word, why = PinWord(options["word"] or ""), (options["why"] or "").strip()
    new_pin = Pin(url, word, why, _author(), datetime.now(UTC))
    pins.put(engine, new_pin)
    click.echo(_line(new_pin), nl=False)
    if queries.find(engine, url) is None:
        click.echo("No record that was read names it yet.", err=True)
    return 0


def _remove(engine: sa.Engine, url: str) -> int:
    if pins.remove(engine, url):
        return 0
    click.echo(f"{printable(url)} has no pin.", err=True)
    return 1


def _author() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _line(pin: Pin) -> str:
    statement = f"{pin.word.value} by {printable(pin.author)} at {moment(pin.at)}: {printable(pin.why)}"
    return f"{printable(pin.url)}  {statement}\n"
