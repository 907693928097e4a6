"""The commands of the program: where each lives, and the overview that `--help` shows of them."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Final, NamedTuple

import click


class CommandEntry(NamedTuple):
    """A command where it lives, "module:name", and its summary."""

    location: str
    summary: str


# In the order of the help, by group; only the command that is called for is imported.
COMMAND_GROUPS: Final[Mapping[str, Mapping[str, CommandEntry]]] = {
    "Set up": {
        "init": CommandEntry("init:init", "Look at records, and write a configuration that fits them."),
        "links": CommandEntry("links:links", "Show which links the records hold; ask nothing."),
        "config": CommandEntry(
            "config:config", "Show the configuration that holds, and where it comes from."
        ),
    },
    "Check": {
        "audit": CommandEntry("audit:audit", "Check every due target of the records in PATHS."),
        "refresh": CommandEntry("refresh:refresh", "Bring the image cache up to date with the records."),
        "run": CommandEntry("refresh:run", "Audit and refresh in one pass: what cron calls."),
    },
    "See": {
        "report": CommandEntry("report:report", "Report the newest finding of every target, or one run's."),
        "diff": CommandEntry("diff:diff", "Show what changed state since a run."),
        "explain": CommandEntry("explain:explain", "Explain the verdict of a target."),
        "serve": CommandEntry("serve:serve_", "Show the dashboard in a browser, until Ctrl-C."),
        "status": CommandEntry(
            "status:status", "Show where things stand: the last run, what is due, who holds the lock."
        ),
    },
    "Correct": {
        "fix": CommandEntry("fix:fix", "Show, or apply, the safe corrections to the records."),
        "pin": CommandEntry("pin:pin", "Declare a target alive, dead or ignored, with the reason."),
    },
    "Look after": {
        "cache": CommandEntry("cache:cache", "Look after the image cache."),
        "db": CommandEntry("db:db", "Look after the database."),
        "schedule": CommandEntry("schedule:schedule", "Print units of cron or systemd that run linkhealth."),
        "worker": CommandEntry("worker:worker", "Work in the shared run of the configured database."),
        "schema": CommandEntry("schema:schema", "Print the JSON Schema of reports in JSON."),
        "doctor": CommandEntry("doctor:doctor", "Check this machine: what is wrong, and how to mend it."),
        "completion": CommandEntry("completion:completion", "Print the completion script of a shell."),
        "demo": CommandEntry("demo:demo", "Show all of it on a small web on this machine."),
    },
}
COMMANDS: Final[Mapping[str, CommandEntry]] = {
    name: entry for entries in COMMAND_GROUPS.values() for name, entry in entries.items()
}


class CommandGroup(click.Group):
    """Commands below a command; a wrong name is answered with the nearest, and no summary is cut."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is called for, or the nearest to what was written."""
        names = self.list_commands(ctx)
        if args and args[0] == "help":
            args = args[1:2]
            if not args:
                click.echo(ctx.get_help())
                ctx.exit()
            command = self.resolve_command(ctx, args)[1]
            return args[0], command, ["--help"]
        if args and args[0] not in names and not args[0].startswith("-"):
            near = get_close_matches(args[0], names, 1)
            hint = f" Did you mean {near[0]!r}?" if near else f" Commands: {', '.join(names)}."
            raise click.UsageError(f"No such command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, each summary whole."""
        commands = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, (command.help or "").partition("\n")[0]) for name, command in commands if command]
            )


class Commands(CommandGroup):
    """The commands of the program, imported when they are called for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click gives it
        """All names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """The command of a name; None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].location.partition(":")
        command: click.Command = getattr(import_module(f"crawler.cli.{module}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        """Write the commands by group, each summary whole; no command is imported for that."""
        for title, entries in COMMAND_GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name, entry.summary) for name, entry in entries.items()])
