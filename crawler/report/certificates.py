"""Certificates that end soon: known since the last check of any target behind them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from storage.model import Finding

EXPIRY_NOTICE: Final = timedelta(days=21)  # what an authority that renews every 60 to 90 days never reaches
MAX_HOSTS_NAMED: Final = 10  # certificates that a report names; the rest are counted


class Certificates:
    """Gathers, as findings pass by, the hosts whose certificate ends within 21 days of `now`."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._newest: dict[str, tuple[datetime, datetime]] = {}

    def add(self, finding: Finding | None) -> None:
        """Look at one finding; of one host, the newest word counts."""
        tls = finding.evidence.tls if finding else None
        if finding is None or tls is None or tls.expires is None:
            return
        ends = datetime.strptime(tls.expires, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        word = (finding.checked_at, ends)
        self._newest[tls.host] = max(word, self._newest.get(tls.host, word))

    def __iter__(self) -> Iterator[str]:
        """One phrase a host, the first to end first, and a last one for those not named."""
        soon = ((ends, host) for host, (_, ends) in self._newest.items() if ends - self._now < EXPIRY_NOTICE)
        hosts = sorted(soon)
        for ends, host in hosts[:MAX_HOSTS_NAMED]:
            yield f"{host} on {ends:%Y-%m-%d} ({self._when(ends)})"
        if len(hosts) > MAX_HOSTS_NAMED:
            yield f"{len(hosts) - MAX_HOSTS_NAMED} more"

    def _when(self, ends: datetime) -> str:
        days = (ends - self._now) // timedelta(days=1)
        return {-1: "over", 0: "today", 1: "in 1 day"}.get(max(days, -1), f"in {days} days")
