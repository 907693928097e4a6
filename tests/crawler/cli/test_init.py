"""A configuration from records."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from crawler.cli.main import cli
from crawler.config import load
from crawler.errors import ConfigError


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _init(*words: str) -> str:
    ended = CliRunner().invoke(cli, ["init", *words, "-o", "-"], standalone_mode=False)
    assert ended.exception is None
    return ended.stdout


def test_the_rules_that_keys_want_are_written() -> None:
    """What is written is a configuration, and takes what it was written for."""
    Path("a.yaml").write_text(
        "shop: {url: https://a.example/}\nphoto: https://pic.example/a\nampHtml: https://a.example/amp\n",
        encoding="utf-8",
    )
    ended = CliRunner().invoke(cli, ["init", "a.yaml", "--yes"], standalone_mode=False)
    assert ended.exception is None
    fields = {name: setting.kind for name, setting in load().records.fields.items()}
    assert fields == {"shop.url": "web", "photo": "image", "ampHtml": "amp"}
    shown = CliRunner().invoke(cli, ["links"], standalone_mode=False)
    assert shown.return_value == 0
    assert "no rule" not in shown.stdout


def test_a_preset_that_fits_is_chosen() -> None:
    """Where it takes most keys, it says more than rules."""
    Path("a.json").write_text(
        '{"articles": [{"url": "https://a.example/", "urlToImage": "https://a.example/a.png"}]}',
        encoding="utf-8",
    )
    assert tomllib.loads(_init("a.json"))["records"]["preset"] == "news-api"


def test_bodies_are_turned_on_where_nothing_else_has_links() -> None:
    """Else the line is a comment."""
    Path("a.md").write_text("[a](https://a.example/)\n", encoding="utf-8")
    assert tomllib.loads(_init("."))["records"]["body"] is True
    Path("b.md").write_text("---\nwebsite: https://b.example/\n---\n", encoding="utf-8")
    text = _init(".")
    assert "body" not in tomllib.loads(text)["records"]
    assert "# body = true" in text


def test_a_configuration_that_is_there_is_left_alone() -> None:
    """Without a terminal there is nobody to ask."""
    Path("a.yaml").write_text("x: https://a.example/\n", encoding="utf-8")
    Path("config.toml").write_text("[network]\n", encoding="utf-8")
    ended = CliRunner().invoke(cli, ["init", "a.yaml"], standalone_mode=False)
    assert isinstance(ended.exception, ConfigError)
    assert Path("config.toml").read_text(encoding="utf-8") == "[network]\n"
