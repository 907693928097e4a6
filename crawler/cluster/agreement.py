"""What the workers of a run have to agree about, and what they have in common."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from crawler.config import Config
from crawler.data.version import program_version
from crawler.errors import ConfigError
from storage.frozen import frozen
from storage.model import Probe
from storage.shards.plans import RunTerms

# What decides how a target is asked and judged; machines may differ in anything else.
SECTIONS: Final = ("hosts", "retry", "checks", "images", "schedule", "state")
NETWORK: Final = ("user_agent", "max_redirects", "max_body", "total_timeout", "robots", "allow_networks")
RENEWALS_PER_LEASE: Final = 3  # renewals in a lease, at least


@frozen
class SharedRunSpec:
    """What all workers of a run have in common; `cache`: they keep images; `probes` still hold."""

    config: Config
    command: str
    detours: tuple[str, ...] = ()
    cache: bool = False
    probes: tuple[Probe, ...] = ()

    def terms(self) -> RunTerms:
        """What is kept with the plan, JSON-ready; no secret can be read from it."""
        return {
            "command": self.command,
            "detours": list(self.detours),
            "cache": self.cache,
            "probes": bool(self.probes),
            "program": program_version(),
            "agreed": digests(self.config),
        }


def digests(config: Config) -> dict[str, str]:
    """A digest of each section that all workers have to agree about."""
    parts = {name: getattr(config, name) for name in SECTIONS}
    parts["network"] = [getattr(config.network, name) for name in NETWORK]
    return {name: sha256(repr(part).encode()).hexdigest() for name, part in parts.items()}


def disagreement(terms: RunTerms, config: Config) -> str | None:
    """Why a worker cannot work under these terms, in one sentence; None if it can."""
    if terms["program"] != program_version():
        program = terms["program"]
        return (
            f"the run was planned by linkhealth {program}, and this is {program_version()}: install the same"
        )
    digests_here = digests(config)
    differ = sorted(name for name, digest in terms["agreed"].items() if digests_here.get(name) != digest)
    if differ:
        sections = ", ".join(f"[{name}]" for name in differ)
        return f"the configuration differs from that of the run in {sections}: give all machines the same"
    return None


def check_times(config: Config) -> None:
    """Refuse a lease that one late word would end.

    Raises:
        ConfigError: it is shorter than three renewals.
    """
    if config.sharing.lease < RENEWALS_PER_LEASE * config.sharing.renew:
        raise ConfigError("[sharing] lease: make it three times as long as renew, or longer")
