"""Frozen values: equal by their fields, and refused by the type checker where they would change."""

from __future__ import annotations

import pickle
from dataclasses import field, fields, replace

from storage.frozen import frozen


@frozen
class Point:
    """A value of two fields, of which one does not count."""

    x: int
    label: str = field(default="", compare=False)
    secret: str = field(default="", repr=False)


@frozen
class Place(Point):
    """A value that inherits."""

    y: int = 0


@frozen
class Nothing:
    """A value without fields."""


@frozen
class Word:
    """A value that compares in its own way, and shows itself so."""

    text: str

    def __eq__(self, other: object) -> bool:
        """Letters count, case does not."""
        return isinstance(other, Word) and self.text.lower() == other.text.lower()

    def __hash__(self) -> int:
        """Equal words are one."""
        return hash(self.text.lower())

    def __repr__(self) -> str:
        """The text alone."""
        return self.text


def test_equal_fields_are_equal_values() -> None:
    """Of one class only, and without the fields that do not compare."""
    assert Point(1, "a") == Point(1, "b")
    assert {Point(1, "a"): "kept"}[Point(1)] == "kept"
    assert Point(1) != Point(2)
    assert Point(1) != Place(1)
    assert Place(1, y=1) != Place(1, y=2)
    assert len({Nothing(), Nothing()}) == 1


def test_a_class_keeps_its_own_ways() -> None:
    """What a class says of equality and of its words holds."""
    assert Word("A") == Word("a")
    assert len({Word("A"), Word("a")}) == 1
    assert repr(Word("A")) == "A"


def test_it_is_shown_by_its_fields() -> None:
    """Without those that are secret."""
    assert repr(Place(1, "here", "token", y=2)) == "Place(x=1, label='here', y=2)"


def test_it_is_a_dataclass_with_slots() -> None:
    """It can be replaced, sent to another process and looked into, and takes no attribute by mistake."""
    place = Place(1, "a", y=2)
    assert replace(place, y=3) == Place(1, "a", y=3)
    assert pickle.loads(pickle.dumps(place)) == place
    assert [column.name for column in fields(place)] == ["x", "label", "secret", "y"]
    assert not hasattr(place, "__dict__")
    match place:
        case Place(x, label):
            assert (x, label) == (1, "a")


def test_the_type_checker_holds_it_frozen() -> None:
    """Mypy refuses the assignment: were it to take it, the comment would be one that is not used."""
    point = Point(1)
    point.x = 2  # type: ignore[misc]
    assert point.x == 2  # what the interpreter lets happen, for speed
