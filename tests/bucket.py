"""A bucket of a real S3 server on loopback."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A bucket that holds nothing."""
    if not os.environ.get("CI"):
        pytest.importorskip("moto.server")
        pytest.importorskip("s3fs")
    import boto3  # noqa: PLC0415 - it may be missing
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - the same

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in (
        ("AWS_ENDPOINT_URL", f"http://{host}:{port}"),
        ("AWS_ACCESS_KEY_ID", "me"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    with urlopen(Request(f"http://{host}:{port}/moto-api/reset", method="POST"), timeout=20):
        pass  # it remembers what other tests did
    client.create_bucket(Bucket="pictures")
    yield client
    client.close()
    server.stop()


def names(client: Any) -> dict[str, int]:
    """What the bucket holds: names and bytes."""
    found = client.list_objects_v2(Bucket="pictures").get("Contents", [])
    return {one["Key"]: one["Size"] for one in found}
