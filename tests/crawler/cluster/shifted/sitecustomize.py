"""Found on its path, it makes a process believe that it is SHIFTED seconds later than it is."""

from __future__ import annotations

import datetime as dt
import os
import time
from typing import Any, Self

BY = float(os.environ["SHIFTED"])
real_time, real_time_ns = time.time, time.time_ns


class Kind(type):
    """What others make of the real class is of this one, too."""

    def __instancecheck__(cls, one: Any) -> bool:
        return isinstance(one, cls.__mro__[1])


class Shifted(dt.datetime, metaclass=Kind):
    """The time of a wrong clock."""

    __slots__ = ()

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Self:
        """Some time, but not this one."""
        return cls.fromtimestamp(time.time(), tz)


Shifted.__name__ = Shifted.__qualname__ = "datetime"
Shifted.__module__ = "datetime"
time.time = lambda: real_time() + BY
time.time_ns = lambda: real_time_ns() + int(BY * 1e9)
dt.datetime = Shifted  # type: ignore[misc]  # that is the trick
