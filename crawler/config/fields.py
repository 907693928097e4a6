"""`[records.fields]`: which key holds which kind of URL, as people write it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Final, TypeAlias

from msgspec import Struct

from storage.model import Kind

KIND_WORDS: Final = ", ".join(Kind)


class FieldSetting(Struct, frozen=True, kw_only=True):
    """What a key holds; an empty kind makes no link. The others are keys beside an image's URL."""

    kind: str
    width: str = "width"
    height: str = "height"
    cached: str = "isCached"


FieldSettings: TypeAlias = dict[str, FieldSetting]
SETTING_KEYS: Final = frozenset(FieldSetting.__struct_fields__)


def field_settings(table: object) -> tuple[FieldSettings, list[tuple[str, str]]]:
    """The settings of a table of rules, and each mistake in it with its key.

    A rule is a kind, or a table with a kind. `image.src = "image"` without quotes is a table within a
    table in TOML, and is taken as `"image.src"`.
    """
    if not isinstance(table, dict):
        return {}, [
            ("[records] fields", 'write a section [records.fields] with lines such as "homepage" = "web"')
        ]
    settings: FieldSettings = {}
    mistakes: list[tuple[str, str]] = []
    for rule, value in _flat(table, ""):
        key = f"[records.fields] {rule}"
        reasons = list(_objections(value))
        mistakes += [(key, reason) for reason in reasons]
        if not reasons:
            settings[rule] = (
                FieldSetting(**value) if isinstance(value, dict) else FieldSetting(kind=str(value))
            )
    return settings, mistakes


def _flat(table: Mapping[str, object], prefix: str) -> Iterator[tuple[str, object]]:
    """Each rule by its whole name; a table without a kind holds longer names."""
    for name, value in table.items():
        rule = f"{prefix}{name}"
        if isinstance(value, dict) and not isinstance(value.get("kind"), str) and value:
            yield from _flat(value, f"{rule}.")
        else:
            yield rule, value


def _objections(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from _kind_objections(value)
        return
    if not isinstance(value, dict):
        yield f'write a kind ({KIND_WORDS}), or {{ kind = "image", width = "w", height = "h" }}'
        return
    if "kind" not in value:
        yield f"write a kind: {KIND_WORDS}"
    yield from _kind_objections(str(value.get("kind", "")))
    for key, word in value.items():
        if key not in SETTING_KEYS:
            yield f"no such key {key!r}: known are {', '.join(sorted(SETTING_KEYS))}"
        elif not isinstance(word, str):
            yield f"{key}: write the name of a key in quotes"


def _kind_objections(kind: str) -> Iterator[str]:
    if kind and kind not in list(Kind):
        near = get_close_matches(kind, [word.value for word in Kind], 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        yield f"{kind!r} is no kind: write {KIND_WORDS}, or nothing for none{hint}"
