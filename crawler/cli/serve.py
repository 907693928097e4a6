"""`linkhealth serve`: the dashboard."""

from __future__ import annotations

import asyncio
import os
from typing import Any, Final

import click

from crawler.config import Config, load
from crawler.dashboard import House, Unbound, serve
from crawler.errors import ConfigError
from storage.database import open_engine, open_reader

BEHIND: Final = 10  # steps of niceness: a run that writes goes before those who watch (benchmarks/watched.py)


@click.command("serve")
@click.option(
    "--port", type=click.IntRange(0, 65_535), help="Default: [dashboard] port; 0 is any that is free."
)
@click.pass_obj
def serve_(obj: dict[str, Any], port: int | None) -> int:
    """Show what is known, as pages, until Ctrl-C."""
    config = load(obj["config"])
    house = _house(config, config.dashboard.port if port is None else port)
    objection = house.objection()
    try:
        if objection is not None:
            raise ConfigError(objection)
        os.nice(BEHIND)
        return asyncio.run(serve(house, lambda url: click.echo(f"the dashboard is at {url}", err=True)))
    except Unbound as exc:
        raise ConfigError(str(exc)) from exc
    finally:
        house.engine.dispose()
        if house.writer is not None:
            house.writer.dispose()


def _house(config: Config, port: int) -> House:
    own = config.dashboard
    engine = open_reader(config.database.url)
    writer = open_engine(config.database.url, create=False) if own.write else None
    cache = config.images.cache
    return House(engine, own.host, port, own.names, own.token, own.write, cache=cache, writer=writer)
