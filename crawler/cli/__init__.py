"""The command line: words in, an exit code out. Nothing is decided here."""

from crawler.cli.main import main

__all__ = ["main"]
