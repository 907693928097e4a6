"""What is wrong with the structure of an image, with a verdict unless browsers pass over it."""

from __future__ import annotations

from storage.frozen import frozen
from storage.model import Verdict


@frozen
class Flaw:
    """Why a file is not as its format wants it; `verdict` is None where all pixels are there all the same.

    `for_pixels` tells that only its pixels can tell: by its structure alone it is `truncated`.
    """

    why: str
    verdict: Verdict | None = Verdict.TRUNCATED
    for_pixels: bool = False
