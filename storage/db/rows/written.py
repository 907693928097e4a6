"""Values into rows.

A row is a tuple in the order of the columns, and holds what a driver takes as it is: a batch of
findings would spend most of its time in conversions otherwise (benchmarks/ledger.py).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite
from typing import Final, TypeAlias

from storage.db.rows.evidence import evidence_json
from storage.model import Declared, Finding, Link, Picture, Size, Standing, State, Verdict

Cells: TypeAlias = tuple[str | int | float | None, ...]
MAX_INTEGER: Final = 2**31 - 1  # of an INTEGER of PostgreSQL; a picture may claim any size
MAX_BIG_INTEGER: Final = 2**63 - 1
# `Enum.value` is a call; these are made once.
STATE_VALUES: Final = {state: state.value for state in State}
VERDICT_AND_CLASS: Final = {verdict: (verdict.value, verdict.cls.value) for verdict in Verdict}
JSON_ENCODE: Final = json.JSONEncoder().encode


def storable_text(text: str) -> str:
    """A text as every database takes it: no NUL, no half of a surrogate pair."""
    if "\0" not in text and text.isascii():
        return text
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _optional_text(text: str | None) -> str | None:
    return None if text is None else storable_text(text)


@lru_cache(maxsize=1024)
def utc_text(moment: datetime | None) -> str | None:
    """A time as the columns keep it: UTC, without its zone; one finding asks for the same thrice."""
    if moment is None:
        return None
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(" ", "microseconds")[:26]


def _json(value: object) -> str | None:
    return JSON_ENCODE(value) if value else None


def finding_row(run: int, finding: Finding) -> Cells:
    """A row of `finding`."""
    verdict, cls = VERDICT_AND_CLASS[finding.verdict]
    return (
        run,
        finding.target,
        verdict,
        cls,
        bounded(finding.status),
        _optional_text(finding.final_url),
        _optional_text(finding.moved_to),
        _json([[redirect.url, redirect.status] for redirect in finding.redirects]),
        bounded(finding.attempts),
        bounded(finding.requests),
        finite(finding.elapsed),
        bounded(finding.bytes, MAX_BIG_INTEGER),
        utc_text(finding.checked_at),
        _optional_text(finding.detail),
        utc_text(finding.retry_at),
        evidence_json(finding.evidence),
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
            storable_text(hop.url),
            bounded(hop.status),
            _optional_text(hop.error),
            finite(hop.elapsed),
            _optional_text(hop.address),
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
        bounded(picture.orientation),
        picture.format,
        bounded(picture.frames),
        picture.mode,
        bounded(picture.bytes, MAX_BIG_INTEGER),
        picture.digest,
        picture.cached,
    )


def sides(size: Size | None) -> tuple[int | None, int | None]:
    """Width and height as columns keep them."""
    return (None, None) if size is None else (min(size.width, MAX_INTEGER), min(size.height, MAX_INTEGER))


def bounded(number: int | None, limit: int = MAX_INTEGER) -> int | None:
    """A number as its column takes it: a server may claim any."""
    return None if number is None else max(-limit, min(number, limit))


def finite(seconds: float) -> float:
    """Seconds as every database takes them: no NaN, no infinity."""
    return seconds if isfinite(seconds) else 0.0


def standing_row(key: int, standing: Standing, last_run: int | None) -> Cells:
    """The state, its history and `last_run` of a `target`, in the order of STANDING, and its id."""
    state, since, failing_since, failures, hard_since, hard, streak, turns, checked_at, due, hazard = standing
    return (
        STATE_VALUES[state],
        utc_text(since),
        utc_text(failing_since),
        failures,
        utc_text(hard_since),
        hard,
        streak,
        ",".join([str(utc_text(turn)) for turn in turns]) if turns else None,
        utc_text(checked_at),
        utc_text(due),
        hazard,
        last_run,
        key,
    )


def event_row(run: int, finding: Finding, before: State, after: State) -> Cells:
    """A row of `event`, without its id."""
    return (finding.target, run, utc_text(finding.checked_at), before.value, after.value)


def link_row(record_id: int, target_id: int, link: Link, text: str) -> Cells:
    """A row of `link`, from `record_id` to `declared`; `text` is the URL as it may be stored."""
    return (
        record_id,
        target_id,
        link.kind.value,
        storable_text(link.field),
        storable_text(link.item),
        link.line,
        link.column,
        storable_text(text),
        _declared_json(link.declared),
    )


def _declared_json(declared: Declared | None) -> str | None:
    if declared is None:
        return None
    return _json({"width": declared.width, "height": declared.height, "cached": declared.cached})
