"""From a file and the environment to a `Config`; every mistake is told, with file and key."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, Literal, NamedTuple, get_args, get_origin, get_type_hints

import msgspec

from crawler.config.fields import field_settings
from crawler.config.find import find_config
from crawler.config.ignore import ignored_patterns
from crawler.config.paths import PATH_KEYS, expanded, path_objections
from crawler.config.sections import Config, ConfigSection, HostRules
from crawler.config.toml import read_table, read_value
from crawler.config.units import PARSERS, BadValue
from crawler.config.wanted import wanted
from crawler.config.words import KEY_CHECKS, nearest, nearest_only
from crawler.errors import ConfigError
from storage.errors import original, own_words

CONFIG_FILE: Final = "config.toml"
VARIABLE_PREFIX: Final = "LINKHEALTH_"
SECTION_TYPES: Final[Mapping[str, type[ConfigSection]]] = {
    name: kind for name, kind in get_type_hints(Config).items() if kind is not str
}
Key = tuple[str, str]


class LoadedConfig(NamedTuple):
    """A configuration; `origins` has, by section and key, the file or variable that sets it."""

    config: Config
    origins: Mapping[Key, str]
    source: str | None


def load(path: str | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """Read the configuration: `path`, else the nearest from here upwards, else defaults.

    Raises:
        ConfigError: it has mistakes; the text names all of them, a line each.
    """
    return load_with_origins(path, environ).config


def load_with_origins(path: str | None = None, environ: Mapping[str, str] = os.environ) -> LoadedConfig:
    """Read the configuration as `load` does, with where each value comes from.

    Raises:
        ConfigError: it has mistakes.
    """
    source = path or find_config(SECTION_TYPES)
    reader = _ConfigReader()
    for name, table in (read_table(source) if source else {}).items():
        reader.take_section(str(source), name, table)
    for variable, section, key, text in _variables(environ):
        reader.take_variable(variable, section, key, text)
    # A file that -c names speaks of paths from the working directory; one that was looked for, of its own.
    folder = "" if path or source is None else str(Path(source).parent)
    config = reader.config("" if folder == "." else folder, environ)
    patterns = ignored_patterns(Path(source or "").parent)
    if patterns:
        exclude = (*config.records.exclude, *patterns)
        config = msgspec.structs.replace(
            config, records=msgspec.structs.replace(config.records, exclude=exclude)
        )
    if source is not None:
        config = msgspec.structs.replace(config, folder=str(Path(source).absolute().parent))
    return LoadedConfig(config, reader.origins, source)


class _ConfigReader:
    """Takes values one by one; `mistakes` has each with the file (or variable) and key it stands in."""

    def __init__(self) -> None:
        self._sections: dict[str, dict[str, object]] = {name: {} for name in SECTION_TYPES}
        self.origins: dict[Key, str] = {}
        self.mistakes: list[str] = []

    def config(self, folder: str, environ: Mapping[str, str]) -> Config:
        """The configuration, its relative paths beginning at a folder.

        Raises:
            ConfigError: there are mistakes.
        """
        sections: dict[str, ConfigSection] = {}
        if not self.mistakes:
            for name, values in self._sections.items():
                section = SECTION_TYPES[name](**values)
                sections[name] = self._with_paths(name, section, folder, environ)
        if self.mistakes:
            raise ConfigError("\n".join(self.mistakes))
        return Config(**sections)  # type: ignore[arg-type]  # by the hints of Config itself

    def take_section(self, source: str, name: str, table: object) -> None:
        """Take a table of a file."""
        if name not in SECTION_TYPES:
            self._add(source, f"[{name}]", f"no such section{nearest(name, SECTION_TYPES)}")
        elif not isinstance(table, dict):
            self._add(source, name, f"write a section: [{name}]")
        else:
            for key, value in table.items():
                self._take(source, name, key, value)

    def take_variable(self, variable: str, section: str, key: str, text: str) -> None:
        """Take a variable of the environment."""
        if section not in SECTION_TYPES:
            self._add(variable, section, f"no such section{nearest(section, SECTION_TYPES)}")
            return
        default = getattr(SECTION_TYPES[section](), key, None)
        value: object = text
        if isinstance(default, tuple):
            value = [part.strip() for part in text.split(",") if part.strip()]
        elif not isinstance(default, str):
            value = read_value(text)
        self._take(variable, section, key, value)

    def _add(self, source: str, key: str, why: str) -> None:
        self.mistakes.append(f"{source}: {key}: {why}")

    def _take(self, source: str, section: str, key: str, value: object) -> None:
        """Convert one key of one section, or note why not."""
        values = self._sections[section]
        self.origins[section, key] = source
        if section == "hosts" and isinstance(value, dict):
            patterns = values.setdefault("patterns", {})
            if isinstance(patterns, dict):
                patterns[key] = self._host_rules(source, key, value)
            return
        hints = get_type_hints(SECTION_TYPES[section], include_extras=True)
        hints.pop("patterns", None)
        if key not in hints:
            self._add(source, f"[{section}] {key}", f"no such key{nearest(key, hints)}")
        elif (section, key) == ("records", "fields"):
            values[key], mistakes = field_settings(value)
            self._add_all(source, mistakes)
        else:
            setting = self._convert(source, f"[{section}] {key}", value, hints[key])
            if setting is not None:
                values[key] = setting
                check = KEY_CHECKS.get((section, key))
                self._add_all(source, check(setting) if check else ())

    def _add_all(self, source: str, mistakes: Iterable[tuple[str, str]]) -> None:
        for key, why in mistakes:
            self._add(source, key, why)

    def _host_rules(self, source: str, pattern: str, table: Mapping[str, object]) -> HostRules:
        hints = get_type_hints(HostRules, include_extras=True)
        values: dict[str, object] = {}
        for key, value in table.items():
            where = f'[hosts."{pattern}"] {key}'
            if key not in hints:
                self._add(source, where, f"no such key{nearest(key, hints)}")
            else:
                values[key] = self._convert(source, where, value, hints[key])
        return HostRules(**values)  # type: ignore[arg-type]  # converted by the hints of HostRules

    def _convert(self, source: str, where: str, value: object, hint: object) -> object:
        """A value as its key wants it; None where it is none, which is noted."""
        try:
            converted_value: object = msgspec.convert(value, hint, dec_hook=_hook)
        except (msgspec.ValidationError, RecursionError, OverflowError) as exc:
            cause = exc.__cause__
            why = own_words(cause) if isinstance(cause, BadValue) else _wanted_text(hint, value, exc)
            self._add(source, where, why)
            return None
        return converted_value

    def _with_paths(
        self, name: str, section: ConfigSection, folder: str, environ: Mapping[str, str]
    ) -> ConfigSection:
        """A section, the paths in it spelt out."""
        changes: dict[str, object] = {}
        for key in (key for section_name, key in PATH_KEYS if section_name == name):
            value = getattr(section, key)
            texts = value if isinstance(value, tuple) else (value,)
            objections = [*path_objections(texts, environ)]
            source = self.origins.get((name, key), "default")
            self._add_all(source, [(f"[{name}] {key}", objection) for objection in objections])
            if not objections:
                paths = tuple(expanded(text, folder, environ) for text in texts)
                changes[key] = paths if isinstance(value, tuple) else paths[0]
        return msgspec.structs.replace(section, **changes) if changes else section


def _wanted_text(hint: object, value: object, exc: Exception) -> str:
    """What a key takes instead of a value; of words, the nearest."""
    near = nearest_only(value, get_args(hint)) if get_origin(hint) is Literal and value else ""
    return f"write {wanted(hint)}{near}{original(exc)}"


def _hook(kind: type, value: object) -> object:
    return PARSERS[kind](value)


def _variables(environ: Mapping[str, str]) -> Iterator[tuple[str, str, str, str]]:
    """LINKHEALTH_SECTION__KEY=text as (variable, section, key, text)."""
    for variable, text in sorted(environ.items()):
        section, separator, key = variable.removeprefix(VARIABLE_PREFIX).lower().partition("__")
        if variable.startswith(VARIABLE_PREFIX) and separator:
            yield variable, section, key, text
