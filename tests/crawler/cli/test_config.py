"""The configuration that holds, and options that stand before it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from crawler.cli.main import cli
from crawler.cli.overrides import overridden, record_paths
from crawler.cli.run_options import RunOptions, run_options
from crawler.config import Config, Duration, load
from crawler.config.ignore import ignored_patterns
from crawler.errors import ConfigError


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _options(*words: str) -> RunOptions:
    taken: list[RunOptions] = []

    @click.command()
    @run_options
    def command(**options: object) -> int:
        taken.append(options)  # type: ignore[arg-type]  # as the commands take them
        return 0

    CliRunner().invoke(command, words, standalone_mode=False)
    return taken[0]


def test_every_key_is_shown_with_where_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """As TOML, with what is secret hidden."""
    Path("config.toml").write_text(
        '[database]\nurl = "postgresql://me:secret@server/db"\n[dashboard]\ntoken = "secret"\n'
        '[network.headers."a.example"]\nAuthorization = "secret"\n[hosts."*.b.example"]\nper_host = 1\n'
        '[records.fields]\n"x" = "web"\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("LINKHEALTH_NETWORK__CONCURRENCY", "7")
    ended = CliRunner().invoke(cli, ["config"], standalone_mode=False)
    assert ended.exception is None
    assert "secret" not in ended.stdout
    shown = tomllib.loads(ended.stdout)
    assert set(shown) == set(Config.__struct_fields__) - {"folder"}
    assert shown["network"]["concurrency"] == 7
    assert shown["hosts"]["*.b.example"] == {"per_host": 1}
    assert "concurrency = 7  # LINKHEALTH_NETWORK__CONCURRENCY" in ended.stdout
    assert 'url = "postgresql://me:***@server/db"  # config.toml' in ended.stdout
    changed = CliRunner().invoke(cli, ["config", "--changed"], standalone_mode=False).stdout
    assert set(tomllib.loads(changed)) == {"database", "dashboard", "network", "hosts", "records"}


def test_options_stand_before_the_configuration() -> None:
    """Time-out, User-Agent, concurrency and exclusions."""
    words = ("--timeout", "5s", "--user-agent", "me/1", "--concurrency", "3", "--exclude", "*/x/*")
    config = overridden(Config(), _options(*words))
    network = config.network
    assert network.total_timeout == Duration(5)
    assert (str(network.user_agent), network.concurrency) == ("me/1", 3)
    assert config.records.exclude == ("*/x/*",)
    with pytest.raises(click.UsageError, match="cannot be sent"):
        overridden(Config(), _options("--user-agent", "a\nb"))


def test_records_may_be_named_in_a_file() -> None:
    """One a line, behind those of the command line."""
    Path("list").write_text("b.md\n\nc d.md\n", encoding="utf-8")
    assert record_paths(_options("a.md", "--files-from", "list")) == ("a.md", "b.md", "c d.md")
    Path("list").write_text("\n", encoding="utf-8")
    with pytest.raises(click.UsageError, match="names no file"):
        record_paths(_options("--files-from", "list"))
    with pytest.raises(click.UsageError, match="there is no such file"):
        record_paths(_options("--files-from", "nothing"))


def test_the_ignore_file_leaves_urls_out() -> None:
    """A pattern a line, the reason behind it; a bad one is told with line and reason."""
    path = Path(".linkhealthignore")
    path.write_text("# ours\nhttps://a.example/#part  # they know\n\n*.b.example/*\n", encoding="utf-8")
    assert load().records.exclude == ("https://a.example/#part", "*.b.example/*")
    path.write_text("https://a.example/ they know\n*\nok\n\x01\n", encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        ignored_patterns(Path())
    assert [line.split(": ")[1] for line in str(raised.value).splitlines()] == ["line 1", "line 2", "line 4"]
