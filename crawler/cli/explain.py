"""`linkhealth explain`: everything known about one target."""

from __future__ import annotations

from typing import Any

import click

from crawler.cli.output import write
from crawler.config import load
from crawler.errors import UrlError
from crawler.report.explain import explain as tell
from crawler.report.explain import find
from crawler.urls import masked, request_url
from storage.database import open_known


@click.command()
@click.argument("url")
@click.pass_obj
def explain(obj: dict[str, Any], url: str) -> int:
    """Tell everything known about the target URL."""
    config = load(obj["config"])
    engine = open_known(config.database.url)
    try:
        story = find(engine, masked(_request_url(url))) or find(engine, masked(url))
        if story is None:
            click.echo(f"{masked(url)} is in no record that was read: 'linkhealth audit' reads them.")
            return 1
        write(tell(story), None)
    finally:
        engine.dispose()
    return 0


def _request_url(url: str) -> str:
    try:
        return request_url(url)
    except UrlError:
        return url
