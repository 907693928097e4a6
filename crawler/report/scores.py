"""The scores of a page that answered 200, under the titles that people read."""

from __future__ import annotations

from collections.abc import Mapping

from storage.model import Evidence, ScoreEvidence


def scores(evidence: Evidence) -> Mapping[str, ScoreEvidence]:
    """The scores that a finding has, by title."""
    titles = {"Signs of a soft 404": evidence.soft_404, "Signs of a parked domain": evidence.parked}
    return {title: score for title, score in titles.items() if score is not None}
