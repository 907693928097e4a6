"""Certificates that end soon: known since the last check of any target behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from storage.model import Finding

SOON: Final = timedelta(days=21)  # what an authority that renews every 60 to 90 days never reaches
NAMED: Final = 10  # certificates that a report names; the rest are counted


class Certificates:
    """Gathers, as findings pass by, the hosts whose certificate ends within 21 days of `now`."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._newest: dict[str, tuple[datetime, datetime]] = {}

    def add(self, finding: Finding | None) -> None:
        """Look at one finding; of one host, the newest word counts."""
        known = tls(finding)
        if finding is None or known is None or known["expires"] is None:
            return
        ends = datetime.strptime(known["expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        word = (finding.checked_at, ends)
        self._newest[known["host"]] = max(word, self._newest.get(known["host"], word))

    def __iter__(self) -> Iterator[str]:
        """One phrase a host, the first to end first, and a last one for those not named."""
        soon = ((ends, host) for host, (_, ends) in self._newest.items() if ends - self._now < SOON)
        ordered = sorted(soon)
        for ends, host in ordered[:NAMED]:
            yield f"{host} on {ends:%Y-%m-%d} ({self._when(ends)})"
        if len(ordered) > NAMED:
            yield f"{len(ordered) - NAMED} more"

    def _when(self, ends: datetime) -> str:
        days = (ends - self._now) // timedelta(days=1)
        return {-1: "over", 0: "today", 1: "in 1 day"}.get(max(days, -1), f"in {days} days")


def tls(finding: Finding | None) -> Mapping[str, Any] | None:
    """What a finding knows of TLS: host, version, and when the certificate ends."""
    known = finding.evidence.get("tls") if finding else None
    return known if isinstance(known, dict) else None
