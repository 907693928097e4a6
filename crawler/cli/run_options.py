"""The options that audit, refresh and run share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NotRequired, ParamSpec, TypedDict

import click

from crawler.cli.choice import WordChoice
from crawler.cli.output import fail_on_list, output_file
from crawler.config import parse_detour, parse_duration
from crawler.config.units import BadValue
from crawler.report.names import REPORT_FORMATS
from storage.model import Kind

MAX_CONCURRENCY: Final = 65_535  # requests
KIND_CHOICE: Final = WordChoice([kind.value for kind in Kind])
Parameters = ParamSpec("Parameters")


class RunOptions(TypedDict):
    """The values of the shared options; `max_runtime` is in seconds."""

    paths: tuple[str, ...]
    format_: str | None
    output: str | None
    only_kind: tuple[str, ...]
    force: bool
    max_runtime: float | None
    fail_on: tuple[str, ...] | None
    connect_to: tuple[str, ...]
    workers: int | None
    shared: bool
    ray: str | None
    no_progress: bool
    files_from: str | None
    exclude: tuple[str, ...]
    timeout: float | None
    user_agent: str | None
    concurrency: int | None
    refetch: NotRequired[bool]


class DurationType(click.ParamType[float]):
    """Seconds, or 30s, 10m, 1h30m."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Parse it, or say what it should be."""
        try:
            return float(parse_duration(value))
        except BadValue as exc:
            self.fail(str(exc), param, ctx)


class ConnectToType(click.ParamType[str]):
    """HOST1:PORT1:HOST2:PORT2."""

    name = "host1:port1:host2:port2"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check it, or say what it should be."""
        try:
            parse_detour(str(value))
        except BadValue as exc:
            self.fail(str(exc), param, ctx)
        return str(value)


force_option: Final = click.option("--force", is_flag=True, help="Check also what is not due yet.")
refetch_option: Final = click.option(
    "--refetch", is_flag=True, help="Fetch images again in full: without conditions, due or not."
)
# In the order of the help.
RUN_OPTIONS: Final = (
    click.argument("paths", nargs=-1),
    click.option(
        "--format",
        "format_",
        type=WordChoice(REPORT_FORMATS),
        help="Write the report in this format; the default is table.",
    ),
    click.option(
        "-o",
        "--output",
        metavar="FILE",
        callback=output_file,
        help="Write the report to this file; - is standard output.",
    ),
    click.option(
        "--only-kind",
        type=KIND_CHOICE,
        multiple=True,
        help="Check this kind of link alone; repeatable.",
    ),
    click.option(
        "--exclude",
        multiple=True,
        metavar="PATTERN",
        help="Leave out files and URLs with this in them, or like this with *; repeatable.",
    ),
    click.option(
        "--files-from",
        metavar="FILE",
        help="Read the records that FILE names, one a line; - is standard input.",
    ),
    force_option,
    click.option(
        "--max-runtime",
        type=DurationType(),
        help="End the run after 30s, 10m or 2h; the next run goes on from there.",
    ),
    click.option(
        "--fail-on",
        callback=fail_on_list,
        metavar="NAME,...",
        help="End with 1 if one of these classes, verdicts, issues or states was found; none: never.",
    ),
    click.option(
        "--timeout", type=DurationType(), help="Give one attempt at a target this long, such as 30s."
    ),
    click.option("--user-agent", metavar="TEXT", help="Send this as the User-Agent."),
    click.option(
        "--concurrency",
        type=click.IntRange(1, MAX_CONCURRENCY),
        help="Have this many requests under way at once, in the whole run.",
    ),
    click.option(
        "--connect-to",
        type=ConnectToType(),
        multiple=True,
        help="Connect to HOST2:PORT2 where a URL names HOST1:PORT1, as curl does; repeatable.",
    ),
    click.option(
        "--workers", type=click.IntRange(1, 4096), help="Check from this many processes; default: 1."
    ),
    click.option("--shared", is_flag=True, help="Let workers on other machines help; needs PostgreSQL."),
    click.option(
        "--ray", metavar="ADDRESS", help="Let workers on this Ray cluster help; 'local' starts one."
    ),
    click.option("--no-progress", is_flag=True, help="Show no progress bar and no progress lines."),
)


def run_options(command: Callable[Parameters, int]) -> Callable[Parameters, int]:
    """Add the options that audit, refresh and run have in common."""
    for option in reversed(RUN_OPTIONS):  # the decorator that is applied last comes first
        command = option(command)
    return command


def cache_run_options(command: Callable[Parameters, int]) -> Callable[Parameters, int]:
    """Add the options of a run that keeps images: `--refetch` stands before `--force`."""
    for option in reversed(RUN_OPTIONS):
        command = option(command)
        if option is force_option:
            command = refetch_option(command)
    return command
