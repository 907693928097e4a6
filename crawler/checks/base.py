"""The shape of a check: a question and a judgement, both pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from crawler.fetch.base import Answer, Request, Trail
from storage.model import Picture, Target, Verdict


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a check says of a 2xx answer; `Verdict.OK` leaves the word to the redirect chain."""

    verdict: Verdict = Verdict.OK
    detail: str | None = None
    picture: Picture | None = None


class Check(Protocol):
    """One kind of target: what to ask of it, and what a 2xx answer means."""

    def ask(self, target: Target, trail: Trail) -> Request:
        """Make the first request for this target."""

    def judge(self, request: Request, answer: Answer) -> Judgement | Request:
        """Judge a 2xx answer, or ask for more."""
