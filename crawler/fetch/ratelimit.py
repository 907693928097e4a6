"""What the RateLimit headers say: how long to wait once a quota is used up. Pure.

Three spellings are in use: structured fields of the IETF draft (`RateLimit: "default";r=0;t=30`,
formerly `limit=10, remaining=0, reset=30`), fields of their own (`RateLimit-Remaining`,
`RateLimit-Reset`, as GitLab sends them), and those with `X-` before (GitHub and many others). A
reset is a number of seconds, or a time in seconds since 1970: no wait is as long as that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

EPOCH: Final = 10**8  # a larger reset is a time: three years are no wait
PREFIXES: Final = ("RateLimit-", "X-RateLimit-", "X-Rate-Limit-")
NAMES: Final = ("RateLimit", *(f"{prefix}Remaining" for prefix in PREFIXES))
LEFT: Final = re.compile(r"(?:^|[;,\s])(?:r|remaining)=(\d{1,12})(?=$|[;,\s])")
RESET: Final = re.compile(r"(?:^|[;,\s])(?:t|reset)=(\d{1,12})(?=$|[;,\s])")
ITEM: Final = re.compile(r',\s*(?=")')  # between two policies of one field


def quota_wait(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds until a used-up quota is filled again; None where none is used up.

    `now` is a UTC time in seconds. Of several used-up quotas, the longest wait counts.
    """
    if not any(name in headers for name in NAMES):
        return None
    waits = [reset - now if reset > EPOCH else reset for left, reset in _quotas(headers) if not left]
    return max(0.0, *waits) if waits else None


def _quotas(headers: Mapping[str, str]) -> Iterator[tuple[float, float]]:
    """What is left, and when it is filled again, by each way to say it."""
    for policy in ITEM.split(headers["RateLimit"]) if "RateLimit" in headers else ():
        yield from _pair(_group(LEFT, policy), _group(RESET, policy))
    for prefix in PREFIXES:
        yield from _pair(headers.get(f"{prefix}Remaining"), headers.get(f"{prefix}Reset"))


def _group(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found[1] if found else None


def _pair(left: str | None, reset: str | None) -> Iterator[tuple[float, float]]:
    numbers = (_number(left), _number(reset))
    if numbers[0] is not None and numbers[1] is not None:
        yield numbers[0], numbers[1]


def _number(text: str | None) -> float | None:
    digits = (text or "").strip()[:14].partition(".")[0]
    return float(digits) if digits.isascii() and digits.isdigit() else None
