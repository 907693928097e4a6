"""RateLimit headers in each spelling."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict

from crawler.fetch.headers.rate_limit import quota_wait
from crawler.fetch.headers.times import MAX_WAIT_SECONDS

pytestmark = pytest.mark.libraries

NOW = 1_790_000_000.0


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"RateLimit": '"default";r=0;t=30'}, 30),
        ({"RateLimit": '"default";r=1;t=30'}, None),
        ({"RateLimit": '"burst";r=0;t=5, "daily";r=0;t=90'}, 90),
        ({"RateLimit": '"burst";r=0;t=5, "daily";r=7;t=90'}, 5),
        ({"RateLimit": "limit=10, remaining=0, reset=45"}, 45),
        ({"RateLimit": "limit=10;remaining=3;reset=45"}, None),
        ({"RateLimit-Remaining": "0", "RateLimit-Reset": str(int(NOW) + 20)}, 20),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "12"}, 12),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOW) + 60)}, 60),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOW) - 60)}, 0),
        ({"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": "3.7"}, 3),
        ({"X-RateLimit-Remaining": "59", "X-RateLimit-Reset": "60"}, None),
        ({"X-RateLimit-Remaining": "0"}, None),
        ({"X-RateLimit-Remaining": "none", "X-RateLimit-Reset": "60"}, None),
        ({"X-RateLimit-Remaining": "-1", "X-RateLimit-Reset": "60"}, None),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "\u0663"}, None),
        ({"RateLimit": '"x";r=0;t=' + "9" * 40}, MAX_WAIT_SECONDS),
        ({"RateLimit": '"x";r=0;t=' + "9" * 60_000}, MAX_WAIT_SECONDS),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{int(NOW) + 20}000"}, 20),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{int(NOW) + 20}000000"}, 20),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{int(NOW) + 20}000000000"}, 20),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{int(NOW) - 20}000"}, 0),
        ({"X-RateLimit-Remaining": "0" * 9, "X-RateLimit-Reset": "0012"}, 12),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "100000000000"}, MAX_WAIT_SECONDS),
        ({"RateLimit": '"par=0;t=1";r=5;t=2'}, None),
    ],
)
def test_quota_wait(headers: dict[str, str], wait: float | None) -> None:
    """A used-up quota asks to wait until it is filled again; anything else asks nothing."""
    assert quota_wait(CIMultiDict(headers), NOW) == wait
