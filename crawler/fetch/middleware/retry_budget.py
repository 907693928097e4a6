"""A budget of retries: a host that is dying is not asked three times as often as before.

As in the SRE book (ch. 21, "Handling Overload"), retries are a share of the first attempts, here of
one lane, with enough to start with that a handful of targets never feels it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from crawler.fetch.base import Request
from crawler.urls import host_of

INITIAL_RETRIES: Final = 100  # a lane
RETRY_SHARE: Final = 0.2  # retries that each first attempt adds


class RetryBudget:
    """Counts first attempts and retries of each lane, and says whether one more is in the budget.

    `hopeless` says that another attempt at a request is in vain.
    """

    def __init__(self, lane_of: Callable[[str], str], hopeless: Callable[[Request], bool]) -> None:
        self._lane_of = lane_of
        self._hopeless = hopeless
        self._firsts: Counter[str] = Counter()
        self._retries: Counter[str] = Counter()

    def first(self, request: Request) -> None:
        """Count the first attempt at a request."""
        self._firsts[self._lane_of(host_of(request.url))] += 1

    def grant(self, request: Request) -> bool:
        """Take one retry from the budget; False once it is used up, or where it is in vain."""
        if self._hopeless(request):
            return False
        lane = self._lane_of(host_of(request.url))
        if self._retries[lane] >= INITIAL_RETRIES + RETRY_SHARE * self._firsts[lane]:
            return False
        self._retries[lane] += 1
        return True
