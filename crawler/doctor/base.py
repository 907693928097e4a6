"""What one check of the doctor says."""

from __future__ import annotations

from storage.frozen import frozen


@frozen
class CheckResult:
    """One thing that was looked at: whether it is well, what was observed, and how to mend it."""

    name: str
    passed: bool
    observation: str
    remedy: str = ""
