"""From a file and the environment to a `Config`; every mistake is told, with file and key."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, get_type_hints

import msgspec

from crawler.config.sections import Config, HostRules, Section
from crawler.config.units import PARSERS
from crawler.errors import ConfigError
from storage.model import Class, Issue, Kind, State, Verdict

FILE: Final = "config.toml"
PREFIX: Final = "LINKHEALTH_"
SECTIONS: Final[Mapping[str, type[Section]]] = get_type_hints(Config)
WORDS: Final = frozenset(
    {"issues", *(word.value for kind in (Class, Verdict, Issue, State) for word in kind)}
)
TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, 5.6.2: a field's name
Table = dict[str, Any]


class _Mistakes:
    """Gathers mistakes, each with the file (or variable) and key it stands in."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, source: str, key: str, why: str) -> None:
        """Note one."""
        self.found.append(f"{source}: {key}: {why}")


def load(path: str | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """Read the configuration: `path`, else `config.toml` here if there is one, else defaults.

    Raises:
        ConfigError: it has mistakes; the text names all of them, a line each.
    """
    source = path or (FILE if Path(FILE).is_file() else None)
    mistakes = _Mistakes()
    sections: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
    for name, table in (_read(source) if source else {}).items():
        _take_section(sections, str(source), name, table, mistakes)
    for variable, section, key, text in _variables(environ):
        _take_variable(sections, (variable, section, key), text, mistakes)
    if mistakes.found:
        raise ConfigError("\n".join(mistakes.found))
    made: Table = {name: SECTIONS[name](**values) for name, values in sections.items()}
    return Config(**made)


def _read(path: str) -> Table:
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError(f"{path}: not TOML: {exc}") from exc
    except UnicodeDecodeError as exc:
        raise ConfigError(f"{path}: not UTF-8: {exc.reason}") from exc
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read: {exc.strerror}") from exc


def _take_section(
    sections: dict[str, Table], source: str, name: str, table: object, mistakes: _Mistakes
) -> None:
    if name not in SECTIONS:
        mistakes.add(source, f"[{name}]", f"no such section{_nearest(name, SECTIONS)}")
    elif not isinstance(table, dict):
        mistakes.add(source, name, f"write a section: [{name}]")
    else:
        for key, value in table.items():
            _take(sections[name], source, (name, key), value, mistakes)


def _take(values: Table, source: str, where: tuple[str, str], value: object, mistakes: _Mistakes) -> None:
    """Convert one key of one section, or note why not."""
    section, key = where
    if section == "hosts" and isinstance(value, dict):
        rules = _host_rules(source, key, value, mistakes)
        values.setdefault("patterns", {})[key] = rules
        return
    hints = get_type_hints(SECTIONS[section], include_extras=True)
    hints.pop("patterns", None)
    if key not in hints:
        mistakes.add(source, f"[{section}] {key}", f"no such key{_nearest(key, hints)}")
        return
    converted = _convert(source, f"[{section}] {key}", value, hints[key], mistakes)
    if converted is not None:
        values[key] = converted
        _check_words(source, where, converted, mistakes)


def _host_rules(source: str, pattern: str, table: Table, mistakes: _Mistakes) -> HostRules:
    hints = get_type_hints(HostRules, include_extras=True)
    values: Table = {}
    for key, value in table.items():
        where = f'[hosts."{pattern}"] {key}'
        if key not in hints:
            mistakes.add(source, where, f"no such key{_nearest(key, hints)}")
        else:
            values[key] = _convert(source, where, value, hints[key], mistakes)
    return HostRules(**values)


def _convert(source: str, where: str, value: object, hint: Any, mistakes: _Mistakes) -> Any:
    try:
        return msgspec.convert(value, hint, dec_hook=_hook)
    except msgspec.ValidationError as exc:
        mistakes.add(source, where, str(exc).partition(" - at")[0])
        return None


def _hook(kind: type, value: object) -> object:
    return PARSERS[kind](value)


def _check_words(source: str, where: tuple[str, str], value: Any, mistakes: _Mistakes) -> None:
    """Keys whose words are more than their type says."""
    check = CHECKED.get(where)
    for key, why in check(value) if check else ():
        mistakes.add(source, key, why)


def _fail_on(words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for word in words:
        if word not in WORDS:
            yield "[report] fail_on", f"{word!r} is no class, verdict, issue or state{_nearest(word, WORDS)}"


def _kinds(fields: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for rule, kind in fields.items():
        if kind not in {"", *Kind}:
            why = f"{kind!r} is no kind: write web, amp, amp-cdn or image, or nothing for none"
            yield f"[records.fields] {rule}", why


def _header_names(headers: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    for host, fields in headers.items():
        for name in fields:
            if not TOKEN.fullmatch(name):
                yield f'[network.headers."{host}"]', f"{name!r} is no name of a header"


CHECKED: Final[Mapping[tuple[str, str], Callable[[Any], Iterator[tuple[str, str]]]]] = {
    ("report", "fail_on"): _fail_on,
    ("records", "fields"): _kinds,
    ("network", "headers"): _header_names,
}


def _nearest(word: str, known: Any) -> str:
    near = get_close_matches(word, list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(known))}"


def _variables(environ: Mapping[str, str]) -> Iterator[tuple[str, str, str, str]]:
    """LINKHEALTH_SECTION__KEY=text as (variable, section, key, text)."""
    for variable, text in sorted(environ.items()):
        section, separator, key = variable.removeprefix(PREFIX).lower().partition("__")
        if variable.startswith(PREFIX) and separator:
            yield variable, section, key, text


def _take_variable(
    sections: dict[str, Table], where: tuple[str, str, str], text: str, mistakes: _Mistakes
) -> None:
    variable, section, key = where
    if section not in SECTIONS:
        mistakes.add(variable, section, f"no such section{_nearest(section, SECTIONS)}")
        return
    default = getattr(SECTIONS[section](), key, None)
    value: object = text
    if isinstance(default, tuple):
        value = [part.strip() for part in text.split(",") if part.strip()]
    elif not isinstance(default, str):
        value = _as_toml(text)
    _take(sections[section], variable, (section, key), value, mistakes)


def _as_toml(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
