"""Where the configuration is found, and where its paths begin."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.config import load
from crawler.config.load import load_with_origins
from crawler.errors import ConfigError


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a configuration, and one below it that is worked in."""
    below = tmp_path / "content" / "posts"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    return tmp_path


@pytest.mark.parametrize("name", ["linkhealth.toml", "config.toml"])
def test_a_configuration_above_is_found(site: Path, name: str) -> None:
    """Its paths, and those of the defaults, begin at its folder."""
    (site / name).write_text('[records]\npaths = ["content", "/abs"]\n', encoding="utf-8")
    config = load(None, {})
    assert config.records.paths == ("../../content", "/abs")
    assert config.database.url == "sqlite:///../../linkhealth.db"
    assert config.images.cache == "../../cache"


def test_the_configuration_of_another_program_is_passed_over(site: Path) -> None:
    """Many programs have a config.toml."""
    text = 'baseURL = "https://a.example/"\n[params]\nx = 1\n'
    (site / "config.toml").write_text(text, encoding="utf-8")
    Path("config.toml").write_text(text, encoding="utf-8")
    assert load(None, {}).records.paths == ("seeds",)
    (site / "linkhealth.toml").write_text("[records]\npaths = ['x']\n", encoding="utf-8")
    assert load(None, {}).records.paths == ("../../x",)


def test_a_misspelt_section_here_is_a_mistake(site: Path) -> None:
    """It is not passed over."""
    Path("config.toml").write_text("[recrods]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="did you mean 'records'"):
        load(None, {})
    assert site.is_dir()


def test_home_and_variables_stand_in_paths(site: Path) -> None:
    """One that nothing sets is a mistake; the password of a server is left alone."""
    path = site / "x.toml"
    path.write_text('[records]\npaths = ["~/r", "$DATA/s", "${DATA}"]\n', encoding="utf-8")
    home = str(Path.home())
    assert load(str(path), {"DATA": "/d"}).records.paths == (f"{home}/r", "/d/s", "/d")
    with pytest.raises(ConfigError, match="the environment has no variable DATA"):
        load(str(path), {})
    url = "postgresql://me:a$b@server/db"
    assert load(str(path), {"DATA": "", "LINKHEALTH_DATABASE__URL": url}).database.url == url


def test_each_value_says_where_it_comes_from(site: Path) -> None:
    """The file, or the variable that overrides it."""
    path = str(site / "x.toml")
    Path(path).write_text("[network]\nconcurrency = 3\nrobots = true\n", encoding="utf-8")
    variable = "LINKHEALTH_NETWORK__CONCURRENCY"
    origins = load_with_origins(path, {variable: "4"}).origins
    assert origins == {("network", "concurrency"): variable, ("network", "robots"): path}


@pytest.mark.parametrize("key", ["records]\npaths", "images]\ncache", "database]\nurl", "network]\nca_file"])
def test_a_nul_in_a_path_is_a_mistake(site: Path, key: str) -> None:
    """No system takes it, and each would say so in another way."""
    path = site / "x.toml"
    value = '["a\\u0000"]' if "paths" in key else '"a\\u0000"'
    path.write_text(f"[{key} = {value}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="a NUL character"):
        load(str(path), {})
