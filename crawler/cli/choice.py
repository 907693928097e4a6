"""A choice between words that suggests the nearest to a wrong one."""

from __future__ import annotations

import click

from crawler.config.words import nearest_only


class WordChoice(click.Choice[str]):
    """One of some words; a wrong one is answered with all of them, and with the nearest."""

    def get_invalid_choice_message(self, value: object, ctx: click.Context | None) -> str:
        """What is told of a wrong word."""
        message = super().get_invalid_choice_message(value, ctx)
        return f"{message.rstrip('.')}{nearest_only(value, self.choices)}."
