"""The database server of these tests."""

from tests.crawler.cluster.conftest import server

__all__ = ["server"]
