"""`config.toml`: what may stand in it, and every mistake in it at once."""

from crawler.config.load import CONFIG_FILE, load
from crawler.config.sections import (
    ChecksSection,
    Config,
    DashboardSection,
    DatabaseSection,
    HostRules,
    HostsSection,
    ImagesSection,
    NetworkSection,
    NotifySection,
    RecordsSection,
    ReportSection,
    RetrySection,
    ScheduleSection,
    SharingSection,
    StateSection,
)
from crawler.config.units import ByteSize, Duration, parse_detour, parse_duration

__all__ = [
    "CONFIG_FILE",
    "ByteSize",
    "ChecksSection",
    "Config",
    "DashboardSection",
    "DatabaseSection",
    "Duration",
    "HostRules",
    "HostsSection",
    "ImagesSection",
    "NetworkSection",
    "NotifySection",
    "RecordsSection",
    "ReportSection",
    "RetrySection",
    "ScheduleSection",
    "SharingSection",
    "StateSection",
    "load",
    "parse_detour",
    "parse_duration",
]
