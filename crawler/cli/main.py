"""The program: its commands, and the last place where an error becomes a sentence."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import traceback
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import Final

import click

from crawler.cli.audit import audit
from crawler.cli.cache import cache
from crawler.cli.db import db
from crawler.cli.demo import demo
from crawler.cli.diff import diff
from crawler.cli.doctor import doctor
from crawler.cli.explain import explain
from crawler.cli.fix import fix
from crawler.cli.pin import pin
from crawler.cli.refresh import refresh, run
from crawler.cli.report import report
from crawler.cli.schedule import schedule
from crawler.cli.serve import serve_
from crawler.cli.status import status
from crawler.cli.worker import worker
from crawler.errors import ConfigError
from storage.errors import LockHeld, StorageError

NAME: Final = "linkhealth"


class Exit(IntEnum):
    """Exit codes; docs/commands.md tells of each."""

    FINE = 0
    PROBLEMS = 1
    USAGE = 2
    DEFECT = 3
    UNFINISHED = 4
    LOCKED = 75
    INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-c", "--config", metavar="FILE", help="Configuration; default: ./config.toml.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but what was asked for.")
@click.option("-v", "--verbose", is_flag=True, help="Say more.")
@click.version_option(package_name=NAME, prog_name=NAME)
@click.pass_context
def cli(context: click.Context, config: str | None, quiet: bool, verbose: bool) -> None:  # noqa: FBT001
    """Audit dead links and look at the images of many records, politely and with a memory."""
    level = logging.DEBUG if verbose else logging.ERROR if quiet else logging.WARNING
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(message)s")
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    context.obj = {"config": config, "quiet": quiet, "verbose": verbose}


COMMANDS: Final = (
    audit,
    refresh,
    run,
    report,
    diff,
    explain,
    fix,
    pin,
    cache,
    db,
    schedule,
    demo,
    doctor,
    serve_,
    worker,
    status,
)
for command in COMMANDS:
    cli.add_command(command)


def main() -> None:
    """Run the program; every way out has its exit code, and none shows a traceback."""
    try:
        code = cli.main(prog_name=NAME, standalone_mode=False)
    except click.exceptions.Abort:
        code = Exit.INTERRUPTED
    except click.ClickException as exc:
        exc.show()
        code = Exit.USAGE
    except LockHeld as exc:
        code = _say(exc, Exit.LOCKED)
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


def _say(exc: Exception, code: Exit) -> Exit:
    for line in str(exc).splitlines():
        click.echo(f"{NAME}: {line}", err=True)
    return code


def _defect() -> Exit:
    """Keep the traceback in a file, and say where that lies."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    path = Path(tempfile.gettempdir()) / f"{NAME}-{stamp}-{os.getpid()}.log"
    path.write_text(traceback.format_exc(), encoding="utf-8")
    click.echo(f"{NAME}: a defect of this program; what happened is in {path}", err=True)
    return Exit.DEFECT
