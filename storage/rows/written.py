"""Values into rows.

A row is a tuple in the order of the columns, and holds what a driver takes as it is: a batch of
findings would spend most of its time in conversions otherwise (benchmarks/ledger.py).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, TypeAlias

from storage.model import Declared, Finding, Link, Picture, Size, Standing, State, Verdict

Cells: TypeAlias = tuple[str | int | float | None, ...]
LARGEST: Final = 2**31 - 1  # of an INTEGER of PostgreSQL; an SVG may claim any size
# `Enum.value` is a call; these are made once.
STATES: Final = {state: state.value for state in State}
NAMES: Final = {verdict: (verdict.value, verdict.cls.value) for verdict in Verdict}
# What JSON does not know becomes its text: no finding is lost for a strange piece of evidence.
ENCODE: Final = json.JSONEncoder(default=str).encode


def plain(text: str) -> str:
    """A text as every database takes it: no NUL, no half of a surrogate pair."""
    if "\0" not in text and text.isascii():
        return text
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _plain(text: str | None) -> str | None:
    return None if text is None else plain(text)


@lru_cache(maxsize=1024)
def instant(moment: datetime | None) -> str | None:
    """A time as the columns keep it: UTC, without its zone; one finding asks for the same thrice."""
    if moment is None:
        return None
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(" ", "microseconds")[:26]


def _json(value: object) -> str | None:
    return ENCODE(value) if value else None


def finding_row(run: int, finding: Finding) -> Cells:
    """A row of `finding`."""
    verdict, cls = NAMES[finding.verdict]
    return (
        run,
        finding.target,
        verdict,
        cls,
        finding.status,
        _plain(finding.final_url),
        _plain(finding.moved_to),
        _json([[one.url, one.status] for one in finding.redirects]),
        finding.attempts,
        finding.requests,
        finding.elapsed,
        finding.bytes,
        instant(finding.checked_at),
        _plain(finding.detail),
        instant(finding.retry_at),
        _json(finding.evidence),
    )


def hop_rows(run: int, finding: Finding) -> list[Cells]:
    """Rows of `hop`; what was fine at the first request says all in its finding."""
    if finding.verdict is Verdict.OK and finding.requests <= 1:
        return []
    return [
        (
            run,
            finding.target,
            number,
            hop.attempt,
            hop.method,
            plain(hop.url),
            hop.status,
            _plain(hop.error),
            hop.elapsed,
            hop.address,
        )
        for number, hop in enumerate(finding.hops, 1)
    ]


def image_row(run: int, target: int, picture: Picture) -> Cells:
    """A row of `image`."""
    return (
        run,
        target,
        *sides(picture.size),
        *sides(picture.stored),
        picture.orientation,
        picture.format,
        picture.frames,
        picture.mode,
        picture.bytes,
        picture.digest,
        picture.cached,
    )


def sides(size: Size | None) -> tuple[int | None, int | None]:
    """Width and height as columns keep them."""
    return (None, None) if size is None else (min(size.width, LARGEST), min(size.height, LARGEST))


def standing_row(key: int, standing: Standing, last_run: int | None) -> Cells:
    """The state, its history and `last_run` of a `target`, in the order of STANDING, and its id."""
    state, since, failing_since, failures, hard_since, hard, streak, turns, checked_at, due = standing
    return (
        STATES[state],
        instant(since),
        instant(failing_since),
        failures,
        instant(hard_since),
        hard,
        streak,
        ",".join([str(instant(turn)) for turn in turns]) if turns else None,
        instant(checked_at),
        instant(due),
        last_run,
        key,
    )


def event_row(run: int, finding: Finding, before: State, after: State) -> Cells:
    """A row of `event`, without its id."""
    return (finding.target, run, instant(finding.checked_at), before.value, after.value)


def link_row(record_id: int, target_id: int, link: Link, text: str) -> Cells:
    """A row of `link`, from `record_id` to `declared`; `text` is the URL as it may be stored."""
    return (
        record_id,
        target_id,
        link.kind.value,
        plain(link.field),
        plain(link.item),
        link.line,
        link.column,
        plain(text),
        _declared_json(link.declared),
    )


def _declared_json(declared: Declared | None) -> str | None:
    if declared is None:
        return None
    return _json({"width": declared.width, "height": declared.height, "cached": declared.cached})
