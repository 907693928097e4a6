"""The rules of a robots.txt for one agent (RFC 9309, 2.2). Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from protego import Protego

AGENT_TOKEN: Final = re.compile(r"[A-Za-z_-]+")  # RFC 9309, 2.2.1
COMPATIBLE: Final = re.compile(r"compatible;\s*([A-Za-z_-]+)")
AGENT_FIELDS: Final = frozenset({"user-agent", "useragent", "user agent"})
# RFC 9309, 2.1: a group is agents, then rules; any other line is skipped (2.2.4) and parts nothing.
# The misspelt ones are read as Google reads them.
RULE_FIELDS: Final = frozenset(
    {"allow", "disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw"}
)

Allows = Callable[[str], bool]


def product(agent: str) -> str:
    """The product token of a User-Agent: its first, or that behind "compatible;"."""
    compatible = COMPATIBLE.search(agent)
    if compatible is not None:
        return compatible[1].lower()
    token = AGENT_TOKEN.match(agent)
    return (token[0] if token else agent).lower()


def parse(text: str, name: str) -> Allows:
    """What a robots.txt allows to the product of this name (lower case).

    Only the rules that apply get to the parser: it copies each rule for each agent of its group,
    and 500 KiB can name ten thousand agents.
    """
    rules = list(_rules(text, name))
    if not rules and not _names(text, name):
        rules = list(_rules(text, "*"))
    return partial(_allows, Protego.parse("\n".join(["User-agent: *", *rules])))


def without_last_line(text: str) -> str:
    """A text that was cut, without the line that the cut went through.

    Half a line may forbid more than the whole: "Disallow: /" of "Disallow: /private".
    """
    return re.split(r"[\r\n][^\r\n]*\Z", text)[0]


def _allows(rules: Protego, url: str) -> bool:
    return bool(rules.can_fetch(url, "*"))


def _names(text: str, name: str) -> bool:
    """Whether any group is for this product, be it one without a rule, which allows everything."""
    return any(_agent(line) == name for line in text.splitlines())


def _rules(text: str, name: str) -> Iterator[str]:
    """The rules of all groups for a product (RFC 9309, 2.2.1: they are one)."""
    applies = heading = False
    for line in text.splitlines():
        agent = _agent(line)
        if agent is not None:
            applies = agent == name or (heading and applies)
            heading = True
        elif _field(line) in RULE_FIELDS:
            heading = False
            if applies:
                yield line


def _agent(line: str) -> str | None:
    """The product that a line begins a group for, in lower case; None for any other line."""
    if _field(line) not in AGENT_FIELDS:
        return None
    value = line.partition("#")[0].partition(":")[2].strip()
    token = AGENT_TOKEN.match(value)
    return token[0].lower() if token else value


def _field(line: str) -> str:
    """What stands before the colon of a line, in lower case; "" of an empty one or a comment."""
    return line.partition("#")[0].partition(":")[0].strip().lower()
