"""`config.toml`: what may stand in it, and every mistake in it at once."""

from crawler.config.load import FILE, load
from crawler.config.sections import (
    Checks,
    Config,
    Dashboard,
    Database,
    HostRules,
    Hosts,
    Images,
    Network,
    Notify,
    Records,
    Report,
    Retry,
    Schedule,
    Sharing,
    States,
)
from crawler.config.units import Duration, Size, parse_detour, parse_duration

__all__ = [
    "FILE",
    "Checks",
    "Config",
    "Dashboard",
    "Database",
    "Duration",
    "HostRules",
    "Hosts",
    "Images",
    "Network",
    "Notify",
    "Records",
    "Report",
    "Retry",
    "Schedule",
    "Sharing",
    "Size",
    "States",
    "load",
    "parse_detour",
    "parse_duration",
]
