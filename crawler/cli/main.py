"""The program: its commands, and the last place where an error becomes a sentence."""

from __future__ import annotations

import gc
import logging
import os
import sys
from pathlib import Path
from typing import Final

import click

from crawler.cli.commands import Commands
from crawler.cli.context import CliContext
from crawler.cli.exit_code import Exit
from crawler.data.version import program_version
from crawler.errors import ConfigError, CrawlerError
from storage.errors import LockHeld, StorageError

PROGRAM: Final = "linkhealth"
FIRST_OPTIONS: Final = frozenset({"-c", "--config", "-q", "--quiet", "-v", "--verbose", "--version"})
START_THRESHOLDS: Final = (50_000, 20, 20)  # objects of the youngest generation, and its collections


EXAMPLES: Final = """\b
Examples:
  linkhealth init content              write a configuration for these records
  linkhealth links                     show what would be asked
  linkhealth audit                     check what is due; the next time it remembers
  linkhealth report --only hard        show what is broken for certain
  linkhealth -q run --max-runtime 30m  for cron: says only what changed
"""


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXAMPLES)
@click.option(
    "-c",
    "--config",
    metavar="FILE",
    help="Read this configuration; default: linkhealth.toml or config.toml, here or above.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print only what changed.")
@click.option(
    "-v", "--verbose", is_flag=True, help="Say each URL as it is answered, and show all of a report."
)
@click.version_option(program_version(), prog_name=PROGRAM)
@click.pass_context
def cli(context: click.Context, config: str | None, quiet: bool, verbose: bool) -> None:  # noqa: FBT001
    """Audit dead links and look at the images of many records, politely and with a memory."""
    if quiet and verbose:
        raise click.UsageError("-q and -v exclude each other")
    level = logging.DEBUG if verbose else logging.ERROR if quiet else logging.WARNING
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(message)s")
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    context.obj = CliContext(config, quiet, verbose)


def main() -> None:
    """Run the program; every way out has its exit code, and none shows a traceback."""
    # Modules make many objects and no garbage: looking for some costs a tenth of the start.
    gc.set_threshold(*START_THRESHOLDS)
    try:
        code = cli.main(prog_name=PROGRAM, standalone_mode=False)
    except click.exceptions.Abort:
        code = Exit.INTERRUPTED
    except click.ClickException as exc:
        exc.show()
        if isinstance(exc, click.NoSuchOption) and exc.option_name in FIRST_OPTIONS:
            click.echo(
                f"{exc.option_name} stands before the command: {PROGRAM} {exc.option_name} ...", err=True
            )
        code = Exit.USAGE
    except LockHeld as exc:
        code = Exit.LOCKED if _is_quiet() else _say(exc, Exit.LOCKED)
    except (ConfigError, StorageError) as exc:
        code = _say(exc, Exit.USAGE)
    except BrokenPipeError:
        # Whoever read our output has seen enough; the rest has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = Exit.FINE
    except KeyboardInterrupt:
        code = Exit.INTERRUPTED
    except Exception:  # noqa: BLE001 - the last place where a defect can be told politely
        code = _defect()
    sys.exit(int(code or 0))


def _say(exc: CrawlerError | StorageError, code: Exit) -> Exit:
    for line in str(exc).splitlines():
        click.echo(f"{PROGRAM}: {line}", err=True)
    return code


def _is_quiet() -> bool:
    """Whether -q was given: a run that waits for the next one is no news."""
    return logging.getLogger().getEffectiveLevel() == logging.ERROR


def _defect() -> Exit:
    """Keep the traceback in a file, and say where that lies."""
    import tempfile  # noqa: PLC0415 - a run that goes well needs none of these
    import traceback  # noqa: PLC0415
    from datetime import UTC, datetime  # noqa: PLC0415

    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    path = Path(tempfile.gettempdir()) / f"{PROGRAM}-{stamp}-{os.getpid()}.log"
    path.write_text(traceback.format_exc(), encoding="utf-8")
    click.echo(f"{PROGRAM}: a defect of this program; what happened is in {path}", err=True)
    return Exit.DEFECT
