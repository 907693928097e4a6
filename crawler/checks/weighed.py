"""What the signs of a page add up to. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from crawler.checks import parked, soft404
from crawler.checks.base import Judgement
from crawler.checks.soft404 import Probed
from crawler.fetch.base import Trail
from crawler.urls import masked
from storage.model import Verdict


@dataclass(frozen=True, slots=True)
class Weighed:
    """The signs of both kinds, for and against."""

    gone: dict[str, int]
    sold: dict[str, int]

    @property
    def verdict(self) -> Verdict | None:
        """What they add up to, if to anything."""
        if sum(self.sold.values()) >= parked.THRESHOLD:
            return Verdict.PARKED
        return Verdict.SOFT_404 if sum(self.gone.values()) >= soft404.THRESHOLD else None

    @property
    def doubtful(self) -> bool:
        """Whether a probe could tell more."""
        return max(sum(self.gone.values()), sum(self.sold.values())) >= soft404.DOUBT

    def judgement(self) -> Judgement:
        """The verdict with its reasons."""
        verdict = self.verdict
        if verdict is None:
            return Judgement()
        signs = self.sold if verdict is Verdict.PARKED else self.gone
        reasons = "; ".join(sign for sign, points in signs.items() if points > 0)
        return Judgement(verdict, f"{sum(signs.values())} of {soft404.THRESHOLD} points: {reasons}")

    def note(self, trail: Trail, probe: Probed | None) -> None:
        """Keep the signs as evidence, where there are any for it."""
        kinds = ("soft_404", self.gone, soft404.THRESHOLD), ("parked", self.sold, parked.THRESHOLD)
        for name, signs, enough in kinds:
            if any(points > 0 for points in signs.values()):
                said = probe and {
                    "url": masked(probe.asked),
                    "to": masked(probe.final),
                    "status": probe.status,
                }
                points = sum(signs.values())
                trail.evidence[name] = {"points": points, "enough": enough, "signs": signs, "probe": said}
