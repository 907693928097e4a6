"""The table of behaviours as a page for readers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from storage.model import Verdict
from tests.behaviours.table import CASES, ELSEWHERE, NOT_OURS

PATH: Final = Path(__file__).parents[2] / "docs" / "behaviours.md"
HEAD: Final = """# Behaviours

What servers do, and what linkhealth says of it. Every row is a test over real sockets, through the real
engine (`tests/behaviours/table.py`, which this page is made from: `python -m tests.behaviours`). Requests
are those that the server saw, where the number matters.

| what the server does | asked as | verdict | class | requests |
|---|---|---|---|---|
"""


def written() -> str:
    """The page."""
    return HEAD + "".join([*_cases(), *_others()])


def _cases() -> Iterator[str]:
    for case in CASES:
        verdict = Verdict(case.verdict)
        asked = "" if case.asked is None else str(case.asked)
        cells = (_cell(case.does), case.kind.value, f"`{verdict.value}`", verdict.cls.value, asked)
        yield f"| {' | '.join(cells)} |\n"


def _others() -> Iterator[str]:
    yield "\n## Proven elsewhere\n\n"
    yield from (f"- {place}\n" for place in dict.fromkeys(ELSEWHERE.values()))
    yield "\n## Not ours\n\n"
    yield from (f"- {why}\n" for why in dict.fromkeys(NOT_OURS.values()))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
