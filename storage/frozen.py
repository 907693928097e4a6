"""Values that nothing changes once they are made, at the price of a plain assignment a field."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from typing import TypeVar, dataclass_transform

Value = TypeVar("Value")


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def frozen(cls: type[Value]) -> type[Value]:
    """Make a dataclass with slots that the type checker holds frozen.

    The interpreter does not: `dataclass(frozen=True)` calls `object.__setattr__` for every field,
    four times the price of an assignment, and a run makes a dozen values a target. Only `__init__`
    is compiled for each class, the rest is shared, so that a program of 230 such classes starts sooner.
    """
    value_class = dataclasses.dataclass(slots=True, eq=False, repr=False)(cls)
    if "__eq__" not in vars(cls):
        _compare_by_fields(value_class)
    if value_class.__repr__ is object.__repr__:
        value_class.__repr__ = _representation  # type: ignore[method-assign]
    return value_class


def _compare_by_fields(cls: type) -> None:
    names = [field.name for field in dataclasses.fields(cls) if field.compare]
    values_of: Callable[[object], object] = attrgetter(*names) if names else _no_values

    def equal(value: object, operand: object) -> bool:
        return (
            values_of(value) == values_of(operand) if operand.__class__ is value.__class__ else NotImplemented
        )

    def hash_of(value: object) -> int:
        return hash(values_of(value))

    cls.__eq__ = equal  # type: ignore[assignment,method-assign]
    cls.__hash__ = hash_of  # type: ignore[assignment,method-assign]


def _no_values(value: object) -> tuple[()]:
    del value
    return ()


def _representation(value: object) -> str:
    fields = dataclasses.fields(value)  # type: ignore[arg-type]
    words = (f"{field.name}={getattr(value, field.name)!r}" for field in fields if field.repr)
    return f"{type(value).__qualname__}({', '.join(words)})"
