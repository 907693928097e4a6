"""The overview of the commands."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from crawler.cli.commands import COMMANDS
from crawler.cli.main import cli


def _options(command: str) -> list[click.Parameter]:
    context = click.Context(cli)
    found = cli.get_command(context, command)
    assert found is not None
    return found.params


def test_the_overview_cuts_no_summary() -> None:
    """Every summary is shown whole."""
    lines = CliRunner().invoke(cli, ["--help"], terminal_width=80).stdout
    words = " ".join(lines.split())
    assert "..." not in words.replace("[ARGS]...", "")
    assert all(f"{name} {entry.summary}" in words for name, entry in COMMANDS.items())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_a_command_is_explained_in_a_sentence(command: str) -> None:
    """No option stands without its help."""
    for parameter in _options(command):
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert parameter.help[0].isupper()
            assert parameter.help.endswith(".")


@pytest.mark.parametrize("command", ["audit", "refresh", "run"])
def test_the_options_of_a_run_stand_in_the_order_of_use(command: str) -> None:
    """The help lists them as they are declared."""
    names = [parameter.name for parameter in _options(command)]
    assert names[:4] == ["paths", "format_", "output", "only_kind"]
    assert names.index("force") < names.index("max_runtime") < names.index("connect_to")
    assert names[-1] == "no_progress"


def test_the_nearest_command_is_suggested() -> None:
    """A wrong word is answered with what it may mean."""
    ended = CliRunner().invoke(cli, ["adit"])
    assert "Did you mean 'audit'?" in ended.stderr
    assert "Commands: " in CliRunner().invoke(cli, ["xyzzy"]).stderr
    assert "did you mean 'hard'" in CliRunner().invoke(cli, ["audit", "--fail-on", "hrad"]).stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_its_completion(shell: str) -> None:
    """The script calls the program with a variable that it knows."""
    ended = CliRunner().invoke(cli, ["completion", shell], standalone_mode=False)
    assert ended.exception is None
    assert "_LINKHEALTH_COMPLETE" in ended.stdout


def test_a_wrong_choice_is_answered_with_all_and_with_the_nearest() -> None:
    """So is a wrong command below a command."""
    runner = CliRunner()
    assert "'prometheus'; did you mean 'json'?" in runner.invoke(cli, ["report", "--format", "jsn"]).stderr
    assert "did you mean 'record'?" in runner.invoke(cli, ["report", "--by", "recrd"]).stderr
    assert "did you mean" not in runner.invoke(cli, ["report", "--by", "xyzzy"]).stderr
    assert "Commands: export, gc, path" in runner.invoke(cli, ["cache", "xyzzy"]).stderr


@pytest.mark.parametrize("group", ["cache", "db"])
def test_commands_below_a_command_are_summed_up_whole(group: str) -> None:
    """No summary ends in dots."""
    text = CliRunner().invoke(cli, [group, "--help"], terminal_width=80).stdout
    assert "..." not in text.replace("[ARGS]...", "")


def test_help_is_a_command_too() -> None:
    """As with git: of all commands, and of one."""
    runner = CliRunner()
    assert runner.invoke(cli, ["help"]).stdout == runner.invoke(cli, ["--help"]).stdout
    assert runner.invoke(cli, ["help", "links"]).stdout == runner.invoke(cli, ["links", "--help"]).stdout


def test_quiet_and_verbose_exclude_each_other() -> None:
    """Nobody can mean both."""
    ended = CliRunner().invoke(cli, ["-q", "-v", "links"])
    assert (ended.exit_code, "exclude each other" in ended.stderr) == (2, True)
