"""The sections of `config.toml` as frozen values; `docs/configuration.md` tells of each key."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from crawler.config.fields import FieldSettings
from crawler.config.units import (
    ByteSize,
    CidrText,
    ConnectToText,
    DigestText,
    Duration,
    HeaderText,
    MaybeUrl,
    UrlText,
)

Count = Annotated[int, Meta(ge=1)]
Natural = Annotated[int, Meta(ge=0)]

PresetName = Literal["", "jekyll", "hugo", "astro", "json-ld", "open-graph", "news-api", "landscape"]

DAY_SECONDS = 86_400.0


class ConfigSection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parent of all sections."""


class RecordsSection(ConfigSection, frozen=True, kw_only=True):
    """Which records to read, and which of their keys hold which kind of URL."""

    paths: tuple[str, ...] = ("seeds",)
    base_url: MaybeUrl = MaybeUrl()
    exclude: tuple[str, ...] = ()
    body: bool = False
    preset: PresetName = ""
    items: tuple[str, ...] = ("related",)
    fields: FieldSettings = {}


class NetworkSection(ConfigSection, frozen=True, kw_only=True):
    """How to ask."""

    concurrency: Count = 128
    user_agent: HeaderText = HeaderText("linkhealth/0.1 (+https://pypi.org/project/linkhealth/)")
    connect_timeout: Duration = Duration(10)
    read_timeout: Duration = Duration(20)
    total_timeout: Duration = Duration(60)
    max_redirects: Natural = 10
    max_body: ByteSize = ByteSize(64 * 1024)
    ca_file: str = ""
    proxy: MaybeUrl = MaybeUrl()
    proxy_from_env: bool = True
    allow_networks: tuple[CidrText, ...] = ()
    connect_to: tuple[ConnectToText, ...] = ()
    robots: bool = False
    canaries: tuple[UrlText, ...] = ()
    outage_wait: Duration = Duration(15)
    headers: dict[str, dict[str, HeaderText]] = {}


class HostRules(ConfigSection, frozen=True, kw_only=True):
    """What may be said of the hosts that a pattern names; they share one lane."""

    per_host: Count | None = None
    interval: Duration | None = None
    max_interval: Duration | None = None
    deadline: Duration | None = None
    breaker: Count | None = None
    adaptive: bool | None = None
    head: bool | None = None
    wall: tuple[int, ...] | None = None
    lane: str | None = None


class HostsSection(ConfigSection, frozen=True, kw_only=True):
    """How politely to ask."""

    per_host: Count = 2
    per_address: Count = 8
    interval: Duration = Duration(0.5)
    max_interval: Duration = Duration(4)
    deadline: Duration = Duration(0)
    breaker: Count = 5
    adaptive: bool = True
    join: Literal["domain", "host"] = "domain"
    patterns: dict[str, HostRules] = {}


class RetrySection(ConfigSection, frozen=True, kw_only=True):
    """When and how often to ask again."""

    attempts: Count = 3
    backoff: Duration = Duration(1)
    max_wait: Duration = Duration(60)
    second_pass: Duration = Duration(60)


class ChecksSection(ConfigSection, frozen=True, kw_only=True):
    """Which checks of content to make."""

    amp: bool = True
    not_found: bool = True
    parked: bool = True
    fragments: bool = False
    https: bool = False


class ImagesSection(ConfigSection, frozen=True, kw_only=True):
    """How to look at images, and where to keep them."""

    cache: str = "cache"
    max_bytes: ByteSize = ByteSize(32 * 1024**2)
    max_pixels: Count = 178_956_970
    cache_size: ByteSize = ByteSize(10 * 1024**3)
    placeholders: tuple[DigestText, ...] = ()
    tolerance: Natural = 0
    proof: Literal["pixels", "structure"] = "pixels"


class DatabaseSection(ConfigSection, frozen=True, kw_only=True):
    """Where to remember, and for how long."""

    url: str = "sqlite:///linkhealth.db"
    keep: Duration = Duration(365 * DAY_SECONDS)


class SharingSection(ConfigSection, frozen=True, kw_only=True):
    """How machines share a run."""

    shards: Annotated[int, Meta(ge=1, le=100_000)] = 64
    lease: Duration = Duration(30)
    renew: Duration = Duration(5)


class ScheduleSection(ConfigSection, frozen=True, kw_only=True):
    """How long each finding stays fresh."""

    alive: Duration = Duration(7 * DAY_SECONDS)
    failing: tuple[Duration, ...] = (Duration(3600), Duration(DAY_SECONDS), Duration(3 * DAY_SECONDS))
    dead: Duration = Duration(30 * DAY_SECONDS)
    unknown: Duration = Duration(DAY_SECONDS)
    outage: Duration = Duration(21 * DAY_SECONDS)
    probe: Duration = Duration(30 * DAY_SECONDS)
    image_least: Duration = Duration(0)
    image_most: Duration = Duration(30 * DAY_SECONDS)
    splay: Annotated[float, Meta(ge=0, le=10)] = 1.0
    policy: Literal["adaptive", "fixed"] = "adaptive"
    checks_per_day: Annotated[int, Meta(ge=0)] = 0


class StateSection(ConfigSection, frozen=True, kw_only=True):
    """How much evidence makes a suspect dead."""

    hard_failures: Count = 2
    hard_span: Duration = Duration(DAY_SECONDS)
    soft_failures: Count = 3
    soft_span: Duration = Duration(6 * DAY_SECONDS)
    flaps: Count = 3
    flap_span: Duration = Duration(30 * DAY_SECONDS)
    flap_checks: Count = 2


class ReportSection(ConfigSection, frozen=True, kw_only=True):
    """What makes the exit code 1."""

    fail_on: tuple[str, ...] = ("hard", "soft", "transient", "content", "issues")


class NotifySection(ConfigSection, frozen=True, kw_only=True):
    """Whom to tell of news."""

    urls: tuple[str, ...] = ()
    on: tuple[Literal["dead", "suspect", "alive", "moved", "image"], ...] = ("dead", "alive")
    heartbeat: str = ""


class DashboardSection(ConfigSection, frozen=True, kw_only=True):
    """Where the dashboard listens, to whom, and whether it may change anything."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8080
    names: tuple[str, ...] = ()
    token: str = ""
    write: bool = False


class Config(ConfigSection, frozen=True, kw_only=True):
    """The whole configuration; `folder` is that of its file, "" without one."""

    records: RecordsSection = RecordsSection()
    network: NetworkSection = NetworkSection()
    hosts: HostsSection = HostsSection()
    retry: RetrySection = RetrySection()
    checks: ChecksSection = ChecksSection()
    images: ImagesSection = ImagesSection()
    database: DatabaseSection = DatabaseSection()
    sharing: SharingSection = SharingSection()
    schedule: ScheduleSection = ScheduleSection()
    state: StateSection = StateSection()
    report: ReportSection = ReportSection()
    notify: NotifySection = NotifySection()
    dashboard: DashboardSection = DashboardSection()
    folder: str = ""
