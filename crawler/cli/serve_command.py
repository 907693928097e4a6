"""What `linkhealth serve` does."""

from __future__ import annotations

import asyncio
import os
from typing import Final

import click

from crawler.cli.context import CliContext
from crawler.config import Config, load
from crawler.dashboard import CannotListen, DashboardSettings, serve
from crawler.errors import ConfigError
from storage.db.database import open_engine, open_reader

NICE_STEPS: Final = 10  # of niceness: a run that writes goes before those who watch (benchmarks/watched.py)


def show_dashboard(context: CliContext, port: int | None) -> int:
    """Serve until told to end; return the exit code."""
    config = load(context.config)
    settings = _settings(config, config.dashboard.port if port is None else port)
    objection = settings.objection()
    try:
        if objection is not None:
            raise ConfigError(objection)
        os.nice(NICE_STEPS)
        return asyncio.run(serve(settings, lambda url: click.echo(f"the dashboard is at {url}", err=True)))
    except CannotListen as exc:
        raise ConfigError(str(exc)) from exc
    finally:
        settings.engine.dispose()
        if settings.writer is not None:
            settings.writer.dispose()


def _settings(config: Config, port: int) -> DashboardSettings:
    section = config.dashboard
    engine = open_reader(config.database.url)
    writer = open_engine(config.database.url, create=False) if section.write else None
    cache = config.images.cache
    return DashboardSettings(
        engine, section.host, port, section.names, section.token, section.write, cache=cache, writer=writer
    )
