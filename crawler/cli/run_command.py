"""What audit, refresh and run do: the run itself, then what there is to tell."""

from __future__ import annotations

import click
from msgspec.structs import replace

from crawler import app
from crawler.app import AUDIT, REFRESH, RUN
from crawler.cli.context import CliContext
from crawler.cli.overrides import overridden, record_paths
from crawler.cli.run_options import RunOptions
from crawler.config import Config, load
from crawler.engine.observer import Observer
from crawler.progress import watch
from crawler.runtime import raise_open_files, relax_collector, run_loop
from storage.model import Kind, RecordProblem

__all__ = ["AUDIT", "REFRESH", "RUN", "perform"]


def perform(command: str, context: CliContext, options: RunOptions) -> int:
    """Do what a command of a run does; return its exit code."""
    config = overridden(load(context.config), options)
    if options["shared"] and options["workers"] and not options["ray"]:
        raise click.UsageError("--shared: start 'linkhealth worker' for each further process")
    if options.get("refetch") and (options["shared"] or options["ray"] or (options["workers"] or 1) > 1):
        raise click.UsageError("--refetch: only without --workers, --shared and --ray")
    if options["ray"]:
        from crawler.cluster.ray import rooted  # noqa: PLC0415 - for such runs only

        config = rooted(config)
    concurrency = raise_open_files(config.network.concurrency)
    config = replace(config, network=replace(config.network, concurrency=concurrency))
    relax_collector()
    known_problems = _problems_before(config) if context.quiet else frozenset()
    with watch(progress=not options["no_progress"], quiet=context.quiet, verbose=context.verbose) as observer:
        outcome = run_loop(_run(config, _app_options(command, options), observer, options))
    from crawler.cli.outcome import tell, tell_defect  # noqa: PLC0415 - reports, once requests are done

    code = tell(config, outcome.run, options, context, known_problems)
    return tell_defect(outcome.lacking) or code


def _problems_before(config: Config) -> frozenset[RecordProblem]:
    """What could not be read so far, so that a run may tell what is new."""
    from crawler.cli.outcome import problems_before  # noqa: PLC0415 - for runs that tell news only

    return problems_before(config.database.url)


def _app_options(command: str, options: RunOptions) -> app.Options:
    """The options of a run, as the application takes them."""
    return app.Options(
        command,
        record_paths(options),
        tuple(Kind(kind) for kind in options["only_kind"]),
        options["force"] or options.get("refetch", False),
        options["max_runtime"],
        options["connect_to"],
        1 if options["ray"] else options["workers"] or 1,
        shared=options["shared"] or bool(options["ray"]),
        refetch=options.get("refetch", False),
    )


async def _run(
    config: Config, app_options: app.Options, observer: Observer, options: RunOptions
) -> app.Outcome:
    """Run here, and with workers on a cluster if there is one."""
    if options["ray"] is None:
        return await app.audit(config, app_options, observer)
    from crawler.cluster.ray import open_fleet  # noqa: PLC0415 - as above

    async with open_fleet(options["ray"], config, options["workers"] or 0, observer):
        return await app.audit(config, app_options, observer)
