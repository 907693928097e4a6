"""`linkhealth completion`: what a shell needs to complete commands and options."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import get_completion_class

from crawler.cli.choice import WordChoice
from crawler.cli.output import write

COMPLETE_VARIABLE: Final = "_LINKHEALTH_COMPLETE"
COMPLETION_EXAMPLES: Final = """\b
Examples:
  eval "$(linkhealth completion bash)"   in ~/.bashrc
  eval "$(linkhealth completion zsh)"    in ~/.zshrc
  linkhealth completion fish > ~/.config/fish/completions/linkhealth.fish
"""


@click.command(epilog=COMPLETION_EXAMPLES)
@click.argument("shell", type=WordChoice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> int:
    """Print the completion script of SHELL."""
    completion_class = get_completion_class(shell)
    if completion_class is None:
        raise click.UsageError(f"this release of click has no completion for {shell}")
    root = context.find_root()
    write([completion_class(root.command, {}, "linkhealth", COMPLETE_VARIABLE).source()], None)
    return 0
