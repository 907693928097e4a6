"""`linkhealth schedule`: units that are ready to be installed."""

from __future__ import annotations

import shlex
import socket
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from crawler.cli.choice import WordChoice
from crawler.cli.context import CliContext
from crawler.cli.output import write
from storage.frozen import frozen

# How often, in the words of cron and of systemd, how far starts may spread, and when a run must end.
CRON_TIMES: Final = {"hour": "{minute} * * * *", "day": "{minute} {hour} * * *"}
SYSTEMD_TIMES: Final = {"hour": "hourly", "day": "*-*-* 02:00:00"}
START_SPREAD: Final = {"hour": "50m", "day": "4h"}
MAX_RUNTIME: Final = {"hour": "50m", "day": "20h"}
EARLIEST_HOUR: Final = 2  # the hour at which a daily run starts at the earliest
START_HOURS: Final = 4  # and over how many hours the starts of many machines spread


@frozen
class ScheduledJob:
    """What is to be run, where and how often; `words` are those of the command."""

    words: Sequence[str]
    folder: Path
    period: str


@click.command()
@click.option("--cron", "form", flag_value="cron", help="A line for crontab.")
@click.option("--systemd", "form", flag_value="systemd", help="A service and a timer.")
@click.option(
    "--every", "period", type=WordChoice(list(CRON_TIMES)), default="hour", help="How often; default: hour."
)
@click.argument("paths", nargs=-1)
@click.pass_obj
def schedule(context: CliContext, form: str | None, period: str, paths: tuple[str, ...]) -> int:
    """Print units that run linkhealth here, often and quietly: each time only what is due is asked."""
    if form is None:
        raise click.UsageError("write --cron or --systemd")
    config = ("-c", str(Path(context.config).resolve())) if context.config else ()
    words = (*_program(), "-q", *config, "run", "--max-runtime", MAX_RUNTIME[period], "--no-progress", *paths)
    job = ScheduledJob(words, Path.cwd(), period)
    write({"cron": _cron, "systemd": _systemd}[form](job), None)
    return 0


def _program() -> tuple[str, ...]:
    """How to start this program wherever PATH leads."""
    script = Path(sys.executable).with_name("linkhealth")
    return (str(script),) if script.is_file() else (sys.executable, "-m", "crawler")


def _cron(job: ScheduledJob) -> list[str]:
    """A line of crontab, where a per cent sign would end the command."""
    share = zlib.crc32(f"{socket.gethostname()} {job.folder}".encode("utf-8", "surrogateescape"))
    when = CRON_TIMES[job.period].format(minute=share % 60, hour=EARLIEST_HOUR + share // 60 % START_HOURS)
    command = f"cd {shlex.quote(str(job.folder))} && {shlex.join(job.words)}"
    return [
        "# crontab -e; the minute follows from this machine and folder, so that many do not start at once.\n",
        "# What changed is mailed to MAILTO, and nothing else.\n",
        f"{when} {command.replace('%', chr(92) + '%')}\n",
    ]


def _systemd(job: ScheduledJob) -> list[str]:
    return [
        "# ~/.config/systemd/user/linkhealth.service\n",
        "[Unit]\n",
        "Description=Check the links of records\n",
        "Wants=network-online.target\n",
        "After=network-online.target\n",
        "\n",
        "[Service]\n",
        "Type=oneshot\n",
        f"WorkingDirectory={str(job.folder).replace('%', '%%')}\n",
        f"ExecStart={' '.join(map(_quoted, job.words))}\n",
        "# 1: there are problems; 4: the time was over; 75: the last run is still at it\n",
        "SuccessExitStatus=1 4 75\n",
        "Nice=10\n",
        "\n",
        "# ~/.config/systemd/user/linkhealth.timer\n",
        "[Unit]\n",
        "Description=Check the links of records now and then\n",
        "\n",
        "[Timer]\n",
        f"OnCalendar={SYSTEMD_TIMES[job.period]}\n",
        f"RandomizedDelaySec={START_SPREAD[job.period]}\n",
        "FixedRandomDelay=true\n",
        "Persistent=true\n",
        "\n",
        "[Install]\n",
        "WantedBy=timers.target\n",
        "\n",
        "# then: systemctl --user daemon-reload && systemctl --user enable --now linkhealth.timer\n",
    ]


def _quoted(word: str) -> str:
    """A word of ExecStart: systemd expands % and $, and splits at white space."""
    safe = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{safe}"' if any(letter in safe for letter in " \t'\"\\;") else safe
