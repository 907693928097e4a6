"""The program: its commands, and the last place where an error becomes a sentence."""

from __future__ import annotations

import gc
import logging
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import IntEnum
from importlib import import_module
from pathlib import Path
from typing import Final

import click

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


# Each command where it lives, in the order of the help; only the one that is called for is imported.
COMMANDS: Final = {
    "audit": "audit:audit",
    "refresh": "refresh:refresh",
    "run": "refresh:run",
    "report": "report:report",
    "diff": "diff:diff",
    "explain": "explain:explain",
    "fix": "fix:fix",
    "pin": "pin:pin",
    "cache": "cache:cache",
    "db": "db:db",
    "schedule": "schedule:schedule",
    "demo": "demo:demo",
    "doctor": "doctor:doctor",
    "serve": "serve:serve_",
    "worker": "worker:worker",
    "status": "status:status",
}


class Commands(click.Group):
    """The commands of the program, imported when they are called for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click gives it
        """All names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """The command of a name; None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        with _uncollected():
            command: click.Command = getattr(import_module(f"crawler.cli.{module}"), name)
        return command


@contextmanager
def _uncollected() -> Iterator[None]:
    """Modules make many objects and no garbage: looking for some costs a tenth of the start."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
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
