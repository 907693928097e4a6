"""The command line: words in, an exit code out. Nothing is decided here."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the program; its version is told without loading a command line."""
    if sys.argv[1:] == ["--version"]:
        from crawler.data.version import program_version  # noqa: PLC0415 - nothing else is needed

        sys.stdout.write(f"linkhealth, version {program_version()}\n")
        return
    from crawler.cli.main import main as run_command  # noqa: PLC0415 - after the question above

    run_command()
