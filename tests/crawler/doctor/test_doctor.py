"""What the doctor sees, and that it leaves no trace."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from crawler.cli.main import cli
from crawler.config import (
    Config,
    DatabaseSection,
    ImagesSection,
    NetworkSection,
    NotifySection,
    RecordsSection,
)
from crawler.doctor import CheckResult, examine


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _examined(config: Config) -> dict[str, CheckResult]:
    return {result.name: result for result in examine(config)}


def test_nothing_is_made(tmp_path: Path) -> None:
    """Neither cache nor database."""
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "a.yaml").write_text("website: x\n", encoding="utf-8")
    results = _examined(Config())
    assert [path.name for path in tmp_path.iterdir()] == ["seeds"]
    assert results["records"].observation == "1 file below seeds"
    assert results["database"].passed
    assert results["cache folder"].passed
    assert results["disk"].observation.endswith("are free in .")


def test_places_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    """Each with the key to look at."""
    (tmp_path / "file").write_text("no database", encoding="utf-8")
    config = Config(
        records=RecordsSection(paths=("nowhere",)),
        database=DatabaseSection(url="sqlite:///file"),
        images=ImagesSection(cache="file/cache"),
        notify=NotifySection(urls=("json://a.example",)),
        network=NetworkSection(concurrency=10**9),
    )
    results = _examined(config)
    bad = {name for name, result in results.items() if not result.passed}
    assert {"records", "database", "cache folder", "open files"} <= bad
    assert all(results[name].remedy for name in bad)


def test_the_proxy_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the configuration, else by the environment."""
    monkeypatch.setenv("https_proxy", "http://me:secret@proxy.example:3128")
    observation = _examined(Config())["proxy"].observation
    assert "proxy.example:3128" in observation
    assert "secret" not in observation


def test_a_broken_configuration_stops_no_check(tmp_path: Path) -> None:
    """Its mistakes are told beside the rest."""
    (tmp_path / "config.toml").write_text("[network]\nconcurency = 3\n", encoding="utf-8")
    ended = CliRunner().invoke(cli, ["doctor"], standalone_mode=False)
    assert ended.return_value == 1
    assert "did you mean 'concurrency'" in ended.stdout
    assert "Python" in ended.stdout
