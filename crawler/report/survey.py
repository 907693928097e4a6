"""What records hold, in sentences: why a run found no link, and which configuration would take some."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crawler.report.escape import json, printable
from storage.model import RecordProblem
from storage.records.suggest import SuggestedRule
from storage.records.survey import Survey

MAX_RULES: Final = 12  # rules that one message names
MAX_PROBLEMS: Final = 5


def no_links_text(survey: Survey) -> str:
    """Why files hold no link, a line a reason, with the lines of configuration that would take some."""
    return "\n".join(_reasons(survey))


def _reasons(survey: Survey) -> Iterator[str]:
    yield f"no link was found in {counted(survey.files, 'file')} with {counted(survey.records, 'record')}"
    suggestions = survey.suggestions()
    if suggestions:
        total = sum(suggestion.values for suggestion in suggestions)
        values = "1 value looks like a URL" if total == 1 else f"{total:,} values look like URLs"
        yield f"{values}, and no rule takes their keys; write in the configuration:"
        yield from (f"  {line}" for line in rule_lines(suggestions[:MAX_RULES]))
        first = next(iter(survey.unmapped.values()))
        yield f"the first stands in {printable(first.path)}:{first.value.line}: {printable(first.value.text)}"
        yield "'linkhealth init' writes such a configuration, 'linkhealth links' shows what it takes"
    for notice, paths in survey.notices.items():
        yield f"{counted(len(paths), 'file')} with {notice}, such as {printable(paths[0])}"
    if survey.body_links:
        links = counted(survey.body_links, "link")
        yield f"{links} in the text of bodies: write body = true below [records] to check these"
    for problem in survey.problems[:MAX_PROBLEMS]:
        yield problem_text(problem)


def problem_text(problem: RecordProblem) -> str:
    """What is wrong with a record, behind its place."""
    line = "" if problem.line is None else f":{problem.line}"
    return f"{printable(problem.path)}{line}: {printable(problem.reason)}"


def rule_lines(suggestions: list[SuggestedRule]) -> Iterator[str]:
    """A section of rules as it stands in the configuration."""
    yield "[records.fields]"
    for suggestion in suggestions:
        example = f"{counted(suggestion.values, 'value')}, such as {printable(suggestion.example)}"
        yield f'{json(suggestion.rule)} = "{suggestion.kind}"  # {example}'


def counted(number: int, noun: str) -> str:
    """A number with its noun, in the singular or the plural."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
