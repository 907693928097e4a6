"""`linkhealth audit`: check every due target."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from crawler import app
from crawler.cli.output import output_file, word_list
from crawler.cli.tell import tell
from crawler.config import Config, load, parse_detour, parse_duration
from crawler.doctor import raise_open_files
from crawler.fleet import open_fleet, rooted
from crawler.progress import watch
from crawler.report import REPORTS
from crawler.run import Observer
from storage.model import Kind

Callback = TypeVar("Callback", bound=Callable[..., Any])


class DurationType(click.ParamType[Any]):
    """Seconds, or 30s, 10m, 1h30m."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Parse it, or say what it should be."""
        try:
            return float(parse_duration(value))
        except ValueError as exc:
            self.fail(str(exc), param, ctx)


class DetourType(click.ParamType[Any]):
    """HOST1:PORT1:HOST2:PORT2."""

    name = "host1:port1:host2:port2"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check it, or say what it should be."""
        try:
            parse_detour(value)
        except ValueError as exc:
            self.fail(str(exc), param, ctx)
        return str(value)


def run_options(command: Callback) -> Callback:
    """The options that audit, refresh and run have in common."""
    kinds = click.Choice([kind.value for kind in Kind])
    for option in (
        click.argument("paths", nargs=-1),
        click.option("--format", "format_", type=click.Choice(list(REPORTS))),
        click.option(
            "-o",
            "--output",
            metavar="FILE",
            callback=output_file,
            help="Write the report there; - is stdout.",
        ),
        click.option("--only-kind", type=kinds, multiple=True, help="Check this kind alone."),
        click.option("--force", is_flag=True, help="Check what is not due, too."),
        click.option("--max-runtime", type=DurationType(), help="End after 30s, 10m, 2h."),
        click.option("--fail-on", callback=word_list, help="What makes the exit code 1."),
        click.option("--connect-to", type=DetourType(), multiple=True, help="As in curl."),
        click.option("--workers", type=click.IntRange(1, 4096), help="Ask from N processes."),
        click.option("--shared", is_flag=True, help="Let workers on other machines help; PostgreSQL only."),
        click.option("--ray", metavar="ADDRESS", help="Let workers on a Ray cluster help; 'local': here."),
        click.option("--no-progress", is_flag=True, help="Show no progress."),
    ):
        command = option(command)
    return command


@click.command()
@run_options
@click.pass_obj
def audit(obj: dict[str, Any], /, **options: Any) -> int:
    """Check every due target of the records in PATHS (default: those of the configuration)."""
    return perform(app.AUDIT, obj, options)


def perform(command: str, obj: dict[str, Any], options: dict[str, Any]) -> int:
    """Do what a command of a run does; return its exit code."""
    config = load(obj["config"])
    if options["shared"] and options["workers"] and not options["ray"]:
        raise click.UsageError("--shared: start 'linkhealth worker' for each further process")
    if options["ray"]:
        config = rooted(config)
    raise_open_files(config.network.concurrency)
    rest_collector()
    asked = app.Options(
        command,
        options["paths"],
        tuple(Kind(kind) for kind in options["only_kind"]),
        options["force"],
        options["max_runtime"],
        options["connect_to"],
        1 if options["ray"] else options["workers"] or 1,
        shared=options["shared"] or bool(options["ray"]),
    )
    with watch(progress=not options["no_progress"], quiet=obj["quiet"]) as observer:
        outcome = loop_runner()(_run(config, asked, observer, options["ray"], options["workers"] or 0))
    return tell(config, outcome.run, options, quiet=obj["quiet"])


async def _run(
    config: Config, asked: app.Options, observer: Observer, ray: str | None, workers: int
) -> app.Outcome:
    """Run here, and with workers on a cluster if there is one."""
    if ray is None:
        return await app.audit(config, asked, observer)
    async with open_fleet(ray, config, workers, observer):
        return await app.audit(config, asked, observer)


def rest_collector() -> None:
    """Look for cycles of garbage a hundred times less often.

    A run makes hundreds of thousands of small values that hold no cycles and stay for a while; to
    look through them again and again took a quarter of its time (benchmarks/throughput.py).
    """
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def loop_runner() -> Callable[[Any], Any]:
    """asyncio.run, on uvloop where there is one."""
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        return asyncio.run
    if os.environ.get("LINKHEALTH_LOOP") == "asyncio":
        return asyncio.run
    return uvloop.run
