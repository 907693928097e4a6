"""What the signs of a page add up to. Pure."""

from __future__ import annotations

from crawler.checks.base import Judgement
from crawler.content import parked, soft404
from crawler.content.observation import ProbeResult
from crawler.fetch.base import Trace
from crawler.urls import masked
from storage.frozen import frozen
from storage.model import ProbeEvidence, ScoreEvidence, Verdict


@frozen
class Score:
    """The signs of both kinds, for and against."""

    soft_404_signs: dict[str, int]
    parked_signs: dict[str, int]

    @property
    def verdict(self) -> Verdict | None:
        """What they add up to, if to anything."""
        if sum(self.parked_signs.values()) >= parked.MIN_PARKED_POINTS:
            return Verdict.PARKED
        return Verdict.SOFT_404 if sum(self.soft_404_signs.values()) >= soft404.MIN_SOFT_404_POINTS else None

    @property
    def doubtful(self) -> bool:
        """Whether a probe could tell more."""
        return (
            max(sum(self.soft_404_signs.values()), sum(self.parked_signs.values()))
            >= soft404.MIN_PROBE_POINTS
        )

    def judgement(self) -> Judgement:
        """The verdict with its reasons."""
        verdict = self.verdict
        if verdict is None:
            return Judgement()
        signs = self.parked_signs if verdict is Verdict.PARKED else self.soft_404_signs
        reasons = "; ".join(sign for sign, points in signs.items() if points > 0)
        return Judgement(verdict, f"{sum(signs.values())} of {soft404.MIN_SOFT_404_POINTS} points: {reasons}")

    def note(self, trace: Trace, probe: ProbeResult | None) -> None:
        """Keep the signs as evidence, where there are any for it."""
        comparison = None
        if probe is not None:
            comparison = ProbeEvidence(masked(probe.url), masked(probe.final), probe.status)
        trace.evidence.soft_404 = _evidence(self.soft_404_signs, soft404.MIN_SOFT_404_POINTS, comparison)
        trace.evidence.parked = _evidence(self.parked_signs, parked.MIN_PARKED_POINTS, comparison)


def _evidence(signs: dict[str, int], enough: int, probe: ProbeEvidence | None) -> ScoreEvidence | None:
    if not any(points > 0 for points in signs.values()):
        return None
    return ScoreEvidence(sum(signs.values()), enough, signs, probe)
