"""`linkhealth pin`: a person's word on a target."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Any

import click
import sqlalchemy as sa

from crawler.cli.output import write
from crawler.config import Config, load
from crawler.errors import UrlError
from crawler.report.line import moment
from crawler.report.safe import shown
from crawler.urls import masked, request_url
from storage import pins, queries
from storage.database import open_engine, open_known
from storage.model import Pin, PinWord


@click.command()
@click.argument("url", required=False)
@click.argument("word", required=False, type=click.Choice([word.value for word in PinWord]))
@click.option("--why", metavar="TEXT", help="The reason; a pin must have one.")
@click.option("--remove", is_flag=True, help="Forget the pin on URL.")
@click.pass_obj
def pin(obj: dict[str, Any], /, **options: Any) -> int:
    """Say that the target URL is alive, dead, or to be ignored; without URL, list what was said."""
    _check(options)
    config = load(obj["config"])
    opened = open_engine if options["word"] else open_known
    engine = opened(config.database.url)
    try:
        if options["url"] is None:
            write((_line(one) for one in pins.pins(engine)), None)
            return 0
        url = _identity(config, options["url"])
        return _remove(engine, url) if options["remove"] else _put(engine, url, options)
    finally:
        engine.dispose()


def _check(options: dict[str, Any]) -> None:
    """Refuse words that make no sense together.

    Raises:
        click.UsageError: they do not.
    """
    word, why = options["word"], (options["why"] or "").strip()
    if options["remove"] and (word or why or options["url"] is None):
        raise click.UsageError("--remove goes with a URL and nothing else")
    if options["url"] is not None and not options["remove"] and not (word and why):
        raise click.UsageError("write pin URL alive|dead|ignore --why TEXT, or pin URL --remove")


def _identity(config: Config, text: str) -> str:
    """The URL as targets are known by: what is requested, credentials masked."""
    try:
        return masked(request_url(text, config.records.base_url or None))
    except UrlError:
        return masked(text)


def _put(engine: sa.Engine, url: str, options: dict[str, Any]) -> int:
    made = Pin(url, PinWord(options["word"]), options["why"].strip(), _author(), datetime.now(UTC))
    pins.put(engine, made)
    click.echo(_line(made), nl=False)
    if queries.find(engine, url) is None:
        click.echo("No record that was read names it yet.", err=True)
    return 0


def _remove(engine: sa.Engine, url: str) -> int:
    if pins.remove(engine, url):
        return 0
    click.echo(f"{shown(url)} has no pin.", err=True)
    return 1


def _author() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _line(pin: Pin) -> str:
    said = f"{pin.word.value} by {shown(pin.author)} at {moment(pin.at)}: {shown(pin.why)}"
    return f"{shown(pin.url)}  {said}\n"
