"""`linkhealth config`: every key, its value, and where that comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

import click
import msgspec

from crawler.cli.context import CliContext
from crawler.cli.output import write
from crawler.config import Config
from crawler.config.load import LoadedConfig, load_with_origins
from crawler.report.escape import json, printable

DEFAULT_ORIGIN: Final = "default"
SECRET_KEYS: Final = frozenset({("dashboard", "token"), ("notify", "urls"), ("notify", "heartbeat")})
PASSWORD: Final = re.compile(r"(//[^/@:]*:)[^/@]*@")
HIDDEN_VALUE: Final = "***"
# The folder of the file is no section of it.
SECTION_NAMES: Final = tuple(name for name in Config.__struct_fields__ if name != "folder")


@click.command("config")
@click.option("--changed", is_flag=True, help="Show only what is not at its default.")
@click.pass_obj
def config(context: CliContext, *, changed: bool) -> int:
    """Show the configuration that holds: every key, its value, and the file or variable that sets it."""
    loaded_config = load_with_origins(context.config)
    write(_lines(loaded_config, changed_only=changed), None)
    return 0


def _lines(loaded_config: LoadedConfig, *, changed_only: bool) -> Iterator[str]:
    source = printable(loaded_config.source or "no configuration file, so the defaults hold")
    yield f"# {source}\n"
    for section in SECTION_NAMES:
        settings = msgspec.structs.asdict(getattr(loaded_config.config, section))
        patterns = settings.pop("patterns", {})
        keys = [key for key in settings if not changed_only or (section, key) in loaded_config.origins]
        if keys or patterns:
            yield f"\n[{section}]\n"
        for key in keys:
            origin = loaded_config.origins.get((section, key), DEFAULT_ORIGIN)
            yield f"{key} = {_written(_shown(section, key, settings[key]))}  # {printable(origin)}\n"
        for pattern, rules in patterns.items():
            values = {
                key: value
                for key, value in msgspec.to_builtins(rules, enc_hook=_plain).items()
                if value is not None
            }
            origin = loaded_config.origins.get((section, pattern), DEFAULT_ORIGIN)
            yield f"{json(pattern)} = {_written(values)}  # {printable(origin)}\n"


def _shown(section: str, key: str, value: object) -> object:
    """A value as plain data, without what is secret."""
    plain = msgspec.to_builtins(value, enc_hook=_plain)
    if (section, key) in SECRET_KEYS and plain:
        return [HIDDEN_VALUE for _ in plain] if isinstance(plain, list) else HIDDEN_VALUE
    if (section, key) == ("network", "headers"):
        return {host: dict.fromkeys(fields, HIDDEN_VALUE) for host, fields in plain.items()}
    return PASSWORD.sub(rf"\1{HIDDEN_VALUE}@", plain) if isinstance(plain, str) else plain


def _plain(value: object) -> object:
    """A text, a size or a duration of the configuration as its plain type."""
    if isinstance(value, int):
        return int(value)
    return float(value) if isinstance(value, float) else str(value)


def _written(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, Mapping):
        pairs = (f"{json(name)} = {_written(part)}" for name, part in value.items())
        return f"{{ {', '.join(pairs)} }}" if value else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_written, value))}]"
    return json(value)
