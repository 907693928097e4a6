"""What a finding says beside its verdict."""

from __future__ import annotations

from typing import Final

from storage.frozen import frozen
from storage.model import CachedImage, Picture


@frozen
class VerdictDetails:
    """What else there is to say of a target: why, what picture, where it moved, what is cached."""

    detail: str | None = None
    picture: Picture | None = None
    moved_to: str | None = None
    cached: CachedImage | None = None


DEFECT: Final = "a defect of this program; the log has the traceback"
NO_DETAILS: Final = VerdictDetails()
