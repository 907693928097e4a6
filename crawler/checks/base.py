"""The shape of a check: a question and a judgement, both pure."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Protocol

from crawler.fetch.base import Request, Response, Trace
from storage.frozen import frozen
from storage.model import CachedImage, Picture, Target, Verdict


@frozen
class Judgement:
    """What a check says of a 2xx answer; `Verdict.OK` leaves the word to the redirect chain.

    `cached` is what the index of the image cache shall say; `later`, to be awaited once, gives the
    judgement that counts, where it takes longer than a moment.
    """

    verdict: Verdict = Verdict.OK
    detail: str | None = None
    picture: Picture | None = None
    cached: CachedImage | None = None
    later: Coroutine[object, None, Judgement] | None = None


class Check(Protocol):
    """One kind of target: what to ask of it, and what a 2xx answer means."""

    def ask(self, target: Target, trace: Trace) -> Request:
        """Make the first request for this target."""

    def judge(self, request: Request, answer: Response) -> Judgement | Request:
        """Judge a 2xx answer, or ask for more."""
