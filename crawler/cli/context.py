"""What every command gets: the options that stand before its name."""

from __future__ import annotations

from storage.frozen import frozen


@frozen
class CliContext:
    """The options of `linkhealth` itself; `config` is the path of the configuration, if one was named."""

    config: str | None = None
    quiet: bool = False
    verbose: bool = False
