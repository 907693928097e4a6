"""What can go wrong at rest.

StorageError
├── LedgerError         the database: not one of ours, locked, read-only, full, out of reach
│   └── SchemaError     its schema is older or newer than this program
├── LockHeld            another run holds the lock
└── CacheError          the image cache: read-only, full, no folder
    └── Swept           another process removed what was being written

A record that cannot be read is no error but a `Problem` value: reading goes on.
"""


class StorageError(Exception):
    """The parent of all; its text is one sentence for a person, with what to do."""


class LedgerError(StorageError):
    """The database cannot be used."""


class SchemaError(LedgerError):
    """The database has another schema than this program wants."""


class LockHeld(StorageError):
    """Another run holds the lock."""


class CacheError(StorageError):
    """The image cache cannot be used."""


class Swept(CacheError):
    """Another process removed a file of the cache that was being written."""
