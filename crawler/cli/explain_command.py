"""What `linkhealth explain` does."""

from __future__ import annotations

import click

from crawler.cli.output import write
from crawler.config import Config
from crawler.report.views.explain import explain as tell
from crawler.report.views.explain import find
from crawler.urls import masked, typed_url
from storage.db.database import open_or_empty


def tell_story(config: Config, url: str) -> int:
    """Write everything known about a target; 1 if that is nothing."""
    engine = open_or_empty(config.database.url)
    try:
        story = find(engine, masked(typed_url(url))) or find(engine, masked(url))
        if story is None:
            click.echo(f"{masked(url)} is in no record that was read: 'linkhealth audit' reads them.")
            return 1
        write(tell(story), None)
    finally:
        engine.dispose()
    return 0
