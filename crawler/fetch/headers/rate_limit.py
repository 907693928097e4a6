"""What the RateLimit headers say: how long to wait once a quota is used up. Pure.

Three spellings are in use: structured fields of the IETF draft (`RateLimit: "default";r=0;t=30`,
formerly `limit=10, remaining=0, reset=30`), fields of their own (`RateLimit-Remaining`,
`RateLimit-Reset`, as GitLab sends them), and those with `X-` before (GitHub and many others). A
reset is a number of seconds, or a time since 1970 in seconds, milliseconds or microseconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from crawler.fetch.headers.times import wait_seconds, whole_number

HEADER_PREFIXES: Final = ("RateLimit-", "X-RateLimit-", "X-Rate-Limit-")
QUOTA_HEADER_NAMES: Final = ("RateLimit", *(f"{prefix}Remaining" for prefix in HEADER_PREFIXES))
REMAINING_PATTERN: Final = re.compile(r"(?:^|[;,\s])(?:r|remaining)=(\d+)(?=$|[;,\s])")
RESET_PATTERN: Final = re.compile(r"(?:^|[;,\s])(?:t|reset)=(\d+)(?=$|[;,\s])")
POLICY_SEPARATOR: Final = re.compile(r',\s*(?=")')  # between two policies of one field


def quota_wait(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds until a used-up quota is filled again; None where none is used up.

    `now` is a UTC time in seconds. Of several used-up quotas, the longest wait counts.
    """
    if not any(name in headers for name in QUOTA_HEADER_NAMES):
        return None
    return max(
        (wait_seconds(reset, now) for remaining, reset in _quotas(headers) if not remaining), default=None
    )


def _quotas(headers: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    """What is left, and when it is filled again, by each way to say it."""
    for policy in POLICY_SEPARATOR.split(headers["RateLimit"]) if "RateLimit" in headers else ():
        yield from _pair(_group(REMAINING_PATTERN, policy), _group(RESET_PATTERN, policy))
    for prefix in HEADER_PREFIXES:
        yield from _pair(headers.get(f"{prefix}Remaining"), headers.get(f"{prefix}Reset"))


def _group(pattern: re.Pattern[str], text: str) -> str | None:
    match = pattern.search(text)
    return match[1] if match else None


def _pair(remaining: str | None, reset: str | None) -> Iterator[tuple[int, int]]:
    remaining_number = whole_number(remaining)
    reset_number = whole_number(reset)
    if remaining_number is not None and reset_number is not None:
        yield remaining_number, reset_number
