"""The database server of these tests."""

from tests.sharing.conftest import server

__all__ = ["server"]
