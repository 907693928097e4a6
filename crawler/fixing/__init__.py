"""Safe corrections to the records themselves: what findings say that they should say.

`wishes` decides what to change (pure), `edit` changes it in the bytes of a file and proves that
nothing else has changed (pure), `keep` writes a file so that it is the old or the new one at any moment.
"""

from crawler.fixing.diff import unified
from crawler.fixing.edit import Corrected, correct
from crawler.fixing.keep import Original, Refused, keep, take
from crawler.fixing.wishes import Skip, Wish, Wishes, gather

__all__ = [
    "Corrected",
    "Original",
    "Refused",
    "Skip",
    "Wish",
    "Wishes",
    "correct",
    "gather",
    "keep",
    "take",
    "unified",
]
