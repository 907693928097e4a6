"""What would be asked, and what no rule takes; runs that have nothing to ask."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from crawler.cli.main import cli
from crawler.errors import NoLinks


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _write(name: str, text: str) -> None:
    Path(name).write_text(text, encoding="utf-8")


def test_links_and_what_no_rule_takes_are_shown_in_every_format() -> None:
    """File, line, column, field, kind and the URL as it would be asked, credentials masked."""
    _write(
        "a.yaml",
        "website: https://me:word@a.example/x y\nhomepage: https://b.example/\nrelated: [{url: /c}]\n",
    )
    runner = CliRunner()
    table = runner.invoke(cli, ["links", "a.yaml"], standalone_mode=False)
    assert table.return_value == 0
    assert table.stdout.splitlines() == [
        "a.yaml:1:10  website  web  https://***@a.example/x%20y",
        "a.yaml:3:17  related[0].url  web  /c (a relative URL, and [records] base_url is not set)",
        'a.yaml:2:11  homepage  no rule: "homepage"  https://b.example/',
    ]
    lines = runner.invoke(cli, ["links", "a.yaml", "--format", "jsonl"], standalone_mode=False).stdout
    rows = [json.loads(line) for line in lines.splitlines()]
    assert [row["kind"] for row in rows] == ["web", "web", None]
    text = runner.invoke(cli, ["-q", "links", "a.yaml", "--format", "csv"], standalone_mode=False).stdout
    assert [row["rule"] for row in csv.DictReader(text.splitlines())] == ["", "", "homepage"]


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.yaml", "items: [{homepage_url: https://a.example/}]\n", '"homepage_url" = "web"'),
        ("a.json", '{"cover": {"src": "https://a.example/x.png"}}', '"cover.src" = "image"'),
        ("a.md", "# Title\n", "1 file with no front matter, such as a.md"),
        ("a.md", "---\ntitle: x\n---\n[a](https://a.example/)\n", "write body = true below [records]"),
        ("a.yaml", "title: x\n", "no link was found in 1 file with 1 record"),
    ],
)
def test_a_run_without_links_says_what_would_take_them(name: str, text: str, reason: str) -> None:
    """It is no success: the exit code is that of a mistake in the configuration."""
    _write(name, text)
    runner = CliRunner()
    ended = runner.invoke(cli, ["audit", name, "--no-progress"], standalone_mode=False)
    assert isinstance(ended.exception, NoLinks)
    assert reason in str(ended.exception)
    shown = runner.invoke(cli, ["links", name], standalone_mode=False)
    assert shown.return_value == 2
    assert reason in shown.stderr


def test_a_file_that_cannot_be_read_is_no_missing_rule() -> None:
    """Its problem is the answer, in the report of the run."""
    _write("a.yaml", "title: a: b\n")
    ended = CliRunner().invoke(cli, ["audit", "a.yaml", "--no-progress"], standalone_mode=False)
    assert (ended.exception, ended.return_value) == (None, 1)
    assert "a.yaml" in ended.stdout


def test_a_problem_is_shown_with_its_line() -> None:
    """Beside the links of the others."""
    _write("a.yaml", "website: https://a.example/\n")
    _write("b.csv", "website\nhttps://b.example/\nhttps://c.example/\0\n")
    shown = CliRunner().invoke(cli, ["links", "."], standalone_mode=False)
    assert "b.csv:3: a NUL character" in shown.stderr


def test_a_pattern_that_leaves_all_out_is_no_exclusion() -> None:
    """A run that asks nothing by mistake would look fine."""
    _write("a.yaml", "website: https://a.example/\n")
    runner = CliRunner()
    for pattern in ("", "*", "**"):
        ended = runner.invoke(cli, ["audit", "a.yaml", "--exclude", pattern])
        assert (ended.exit_code, "leaves everything out" in ended.stderr) == (2, True)
    _write("config.toml", '[records]\nexclude = ["*"]\npreset = "hgo"\n')
    ended = runner.invoke(cli, ["audit", "a.yaml"], standalone_mode=False)
    assert "[records] exclude: '*' leaves everything out" in str(ended.exception)
    assert "or 'landscape'; did you mean 'hugo'?" in str(ended.exception)
