"""A Ray cluster of two nodes on loopback, in a process of its own, told what to do line by line.

It prints its address once it stands. `kill` ends the second node as a power cut does, `add` starts
another; the end of its input ends the cluster.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final

# Ray listens on the address of a network card otherwise.
LOOPBACK: Final = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}


class Cluster:
    """The cluster as a test sees it."""

    def __init__(self, process: asyncio.subprocess.Process, address: str) -> None:
        self._process, self.address = process, address

    async def kill_node(self) -> None:
        """End the second node."""
        await self._do(b"kill\n")

    async def add_node(self) -> None:
        """Have another node."""
        await self._do(b"add\n")

    async def _do(self, word: bytes) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(word)
        assert await asyncio.wait_for(self._process.stdout.readline(), 60) == b"done\n"


@asynccontextmanager
async def clustered(path: Path | None = None) -> AsyncIterator[Cluster]:
    """Two nodes of one processor each; Python looks into `path` first there."""
    first = {} if path is None else {"PYTHONPATH": str(path)}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        __file__,
        env={**os.environ, **LOOPBACK, **first},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    address = (await asyncio.wait_for(process.stdout.readline(), 120)).decode().strip()
    try:
        yield Cluster(process, address)
    finally:
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 60)
        except TimeoutError:
            process.kill()
            await process.wait()


def main() -> None:
    """Be the cluster."""
    utils: Any = import_module("ray.cluster_utils")  # untyped, and the test itself needs no Ray
    said = {"num_cpus": 1, "node_ip_address": "127.0.0.1", "object_store_memory": 80_000_000}
    nodes = utils.Cluster(initialize_head=True, head_node_args={**said, "include_dashboard": False})
    second = nodes.add_node(**said)
    nodes.wait_for_nodes()
    sys.stdout.write(f"{nodes.address}\n")
    sys.stdout.flush()
    for line in sys.stdin:
        if line.strip() == "kill":
            nodes.remove_node(second, allow_graceful=False)
        else:
            nodes.add_node(**said)
        sys.stdout.write("done\n")
        sys.stdout.flush()
    nodes.shutdown()


if __name__ == "__main__":
    main()
