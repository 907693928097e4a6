"""The one seam between tests and engine: check URLs as the program does, without a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from crawler.config import ChecksSection, Config, Duration, HostsSection, NetworkSection, RetrySection
from crawler.engine.context import RunContext
from crawler.engine.plan import by_lane
from crawler.policies import lanes_of
from crawler.progress import QuietProgress
from crawler.wiring import open_run
from storage.model import Finding, Kind, Probe, Target
from tests.site import Site

# Most tests count requests, so probes are left to the tests that are about them. However busy the
# machine is, no answer is late; what waits for silence asks for one of those below.
QUICK = Config(
    checks=ChecksSection(not_found=False, parked=False),
    network=NetworkSection(
        connect_timeout=Duration(20), read_timeout=Duration(20), total_timeout=Duration(40)
    ),
    hosts=HostsSection(interval=Duration(0)),
    retry=RetrySection(backoff=Duration(0.01), max_wait=Duration(2)),
)
# Where silence is all that comes, and where an answer follows that must not be late.
SILENCE = MappingProxyType({"connect_timeout": Duration(0.5), "read_timeout": Duration(0.25)})
SILENCE_AT_FIRST = MappingProxyType({"read_timeout": Duration(1)})


class Kept:
    """Keeps findings in memory, the last one a target."""

    def __init__(self) -> None:
        self.findings: dict[str, Finding] = {}

    async def put(self, finding: Finding) -> None:
        """Keep one."""
        self.findings[finding.url] = finding


def config(**sections: Mapping[str, Any]) -> Config:
    """The quick configuration, with some keys of some sections changed."""
    changed = {name: msgspec.structs.replace(getattr(QUICK, name), **keys) for name, keys in sections.items()}
    return msgspec.structs.replace(QUICK, **changed)


async def check_all(
    site: Site,
    targets: Mapping[str, Kind],
    settings: Config = QUICK,
    *detours: str,
    probes: Sequence[Probe] = (),
) -> dict[str, Finding]:
    """The finding on each URL, in one run of the real engine; detours of the test come first.

    `probes` are those that earlier runs left.
    """
    kept = Kept()
    context = RunContext(settings, kept, QuietProgress(), (*detours, site.detour), probes)
    async with open_run(context) as running:
        numbered = (Target(n, url, kind) for n, (url, kind) in enumerate(targets.items(), 1))
        await running.check(by_lane(numbered, lanes_of(settings)))
    return kept.findings


async def check(
    site: Site, url: str, kind: Kind = Kind.WEB, settings: Config = QUICK, *detours: str
) -> Finding:
    """The finding on one URL."""
    return (await check_all(site, {url: kind}, settings, *detours))[url]
