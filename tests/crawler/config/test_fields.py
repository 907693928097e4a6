"""Rules for keys as people write them."""

from __future__ import annotations

import tomllib

import pytest

from crawler.config.fields import FieldSetting, field_settings


@pytest.mark.parametrize(
    ("text", "name", "setting"),
    [
        ('"a.src" = "image"', "a.src", FieldSetting(kind="image")),
        ('a.src = "image"', "a.src", FieldSetting(kind="image")),
        ('a.b.c = ""', "a.b.c", FieldSetting(kind="")),
        ('a = { kind = "image", width = "w" }', "a", FieldSetting(kind="image", width="w")),
        (
            'a.b = { kind = "image", height = "h", cached = "c" }',
            "a.b",
            FieldSetting(kind="image", height="h", cached="c"),
        ),
    ],
)
def test_a_rule_is_a_kind_or_a_table(text: str, name: str, setting: FieldSetting) -> None:
    """A key with dots and without quotes is what was meant."""
    assert field_settings(tomllib.loads(text)) == ({name: setting}, [])


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({"a": "pictures"}, "is no kind"),
        ({"a": "imgae"}, "did you mean 'image'"),
        ({"a": 3}, "write a kind"),
        ({"a": {}}, "write a kind"),
        ({"a": {"kind": "image", "wide": "w"}}, "no such key 'wide'"),
        ({"a": {"kind": "image", "width": 3}}, "the name of a key"),
        ([], "write a section"),
    ],
)
def test_every_mistake_is_told(table: object, reason: str) -> None:
    """With what to write."""
    settings, mistakes = field_settings(table)
    assert settings == {}
    assert reason in mistakes[0][1]
