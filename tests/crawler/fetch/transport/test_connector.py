"""Connections under a limit of open files: idle ones give way, and no host is told to be at fault."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.model import Kind
from tests.check import check_all, config
from tests.site import answer, serve


@pytest.fixture(params=[128, 160])
def _few_files(request: pytest.FixtureRequest) -> Iterator[None]:
    """A process that may open few files more than it has."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    held = sum(1 for _ in Path("/proc/self/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (held + request.param, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("_few_files")
async def test_many_hosts_that_keep_their_connections() -> None:
    """Each of 300 hosts is ok, though both ends of their connections would be thousands of files."""
    urls = [f"http://h{number}.example/" for number in range(300)]
    async with serve() as site:
        site.fallback = answer(200)
        settings = config(network={"concurrency": 8})
        findings = await check_all(site, dict.fromkeys(urls, Kind.AMP_CDN), settings)

    assert {str(finding.verdict) for finding in findings.values()} <= {"ok", "not-amp"}
    assert len(findings) == len(urls)
