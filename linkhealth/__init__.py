"""linkhealth in Python: check the links of records, and read what earlier runs found.

`audit` and `findings` check; `states` reads what is stored, and asks nothing. docs/library.md shows them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from crawler.api import audit, findings, states
    from crawler.config import Config
    from crawler.errors import ConfigError
    from storage.errors import LockHeld, StorageError
    from storage.model import Class, Finding, Kind, State, Verdict
    from storage.queries.report import Entry

__all__ = [
    "Class",
    "Config",
    "ConfigError",
    "Entry",
    "Finding",
    "Kind",
    "LockHeld",
    "State",
    "StorageError",
    "Verdict",
    "audit",
    "findings",
    "states",
]
HOMES: Final = {
    "Class": "storage.model",
    "Config": "crawler.config",
    "ConfigError": "crawler.errors",
    "Entry": "storage.queries.report",
    "Finding": "storage.model",
    "Kind": "storage.model",
    "LockHeld": "storage.errors",
    "State": "storage.model",
    "StorageError": "storage.errors",
    "Verdict": "storage.model",
    "audit": "crawler.api",
    "findings": "crawler.api",
    "states": "crawler.api",
}


def __getattr__(name: str) -> object:
    """Import a name from its home when it is asked for: `import linkhealth` alone costs nothing."""
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    member: object = getattr(import_module(HOMES[name]), name)
    return member


def __dir__() -> list[str]:
    """The public names, for completion in a notebook."""
    return __all__
