"""The machine: Python, libraries, network, clock, limits."""

from __future__ import annotations

import resource
import socket
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Final

from PIL import features

from crawler.config import Config
from crawler.doctor.base import CheckResult
from crawler.fetch.transport.proxies import proxy_settings
from crawler.fetch.transport.system_resolver import resolver_reason
from crawler.runtime import SPARE_DESCRIPTORS
from crawler.urls import masked
from storage.model import iso_utc
from storage.records.yaml_events import LIBYAML

OLDEST_PYTHON: Final = (3, 11)
RELEASE_DATE: Final = datetime(2026, 1, 1, tzinfo=UTC)  # a clock before this release is wrong
IMAGE_FORMATS: Final = ("jpg", "zlib", "webp", "avif", "jpg_2000", "libtiff")
# What an extra brings, by the module that it needs.
EXTRAS: Final = {
    "notify": "apprise",
    "parquet": "pyarrow",
    "postgres": "psycopg",
    "ray": "ray",
    "s3": "s3fs",
    "similar": "imagehash",
}


def _python(_: Config) -> CheckResult:
    version = ".".join(map(str, sys.version_info[:3]))
    remedy = "install Python 3.11 or newer"
    return CheckResult("Python", sys.version_info[:2] >= OLDEST_PYTHON, version, remedy)


def _libyaml(_: Config) -> CheckResult:
    observation = "PyYAML has it" if LIBYAML else "PyYAML lacks it: reading is some ten times slower"
    return CheckResult("libyaml", LIBYAML, observation, "install PyYAML from a wheel")


def _event_loop(_: Config) -> CheckResult:
    loop = "asyncio's own" if find_spec("uvloop") is None else "uvloop"
    return CheckResult("event loop", passed=True, observation=loop)


def _extras(config: Config) -> CheckResult:
    """Which extras are there; one that the configuration asks for must be."""
    missing = [extra for extra, module in EXTRAS.items() if find_spec(module) is None]
    required_extras = [extra for extra in _needed_extras(config) if extra in missing]
    present = [extra for extra in EXTRAS if extra not in missing]
    observation = f"installed: {', '.join(present) or 'none'}; not installed: {', '.join(missing) or 'none'}"
    names = ",".join(required_extras)
    remedy = f"the configuration needs {names}: install linkhealth[{names}]"
    return CheckResult("extras", not required_extras, observation, remedy)


def _needed_extras(config: Config) -> list[str]:
    uses = {
        "postgres": config.database.url.startswith("postgres"),
        "s3": config.images.cache.startswith("s3:"),
        "notify": bool(config.notify.urls),
    }
    return [extra for extra, is_used in uses.items() if is_used]


def _images(_: Config) -> CheckResult:
    """Which formats Pillow was built with."""
    missing = [name for name in IMAGE_FORMATS if not features.check(name)]
    present = [name for name in IMAGE_FORMATS if name not in missing]
    observation = f"Pillow reads {', '.join(present)}"
    if missing:
        observation += f", and not {', '.join(missing)}"
    is_complete = {"jpg", "zlib", "webp"}.isdisjoint(missing)
    return CheckResult("image formats", is_complete, observation, "install Pillow from a wheel")


def _dns(_: Config) -> CheckResult:
    remedy = "check /etc/resolv.conf and the network; behind a proxy it may be so"
    try:
        socket.getaddrinfo("example.com", 443, type=socket.SOCK_STREAM)
    except OSError as exc:
        return CheckResult(
            "DNS", passed=False, observation=f"example.com: {resolver_reason(exc)}", remedy=remedy
        )
    return CheckResult("DNS", passed=True, observation="example.com is found")


def _proxy(config: Config) -> CheckResult:
    """Which proxy the configuration, or the environment, names."""
    network = config.network
    proxies = proxy_settings(network.proxy, from_environment=network.proxy_from_env)
    if proxies.everywhere is not None:
        observation = f"{masked(proxies.everywhere)}, by [network] proxy"
    else:
        texts = [f"{scheme} by {masked(url)}" for scheme, url in proxies.by_scheme().items()]
        observation = f"{', '.join(texts)}, by the environment" if texts else "none"
    return CheckResult("proxy", passed=True, observation=observation)


def _clock(_: Config) -> CheckResult:
    now = datetime.now(UTC)
    return CheckResult("clock", now > RELEASE_DATE, iso_utc(now), "set the clock of this machine")


def _open_files(config: Config) -> CheckResult:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    sockets = config.network.concurrency + SPARE_DESCRIPTORS
    observation = f"{soft} may be open, {sockets} are needed"
    remedy = f"raise the limit: ulimit -n {min(hard, max(sockets, 4096))}"
    return CheckResult("open files", soft >= sockets, observation, remedy)


MACHINE_CHECKS: Final[tuple[Callable[[Config], CheckResult], ...]] = (
    _python,
    _libyaml,
    _event_loop,
    _extras,
    _images,
    _dns,
    _proxy,
    _clock,
    _open_files,
)
