"""What is known of the web beyond its standards, as dated files: no code decides what stands there."""

from __future__ import annotations

from typing import TypeVar

Shape = TypeVar("Shape")


def table(name: str, shape: type[Shape]) -> Shape:
    """The content of a data file beside this one, named without its suffix.

    Raises:
        msgspec.ValidationError: it has not the shape.
    """
    import tomllib  # noqa: PLC0415 - the version of the program needs none of these
    from importlib.resources import files  # noqa: PLC0415

    import msgspec  # noqa: PLC0415

    return msgspec.convert(tomllib.loads((files(__package__) / f"{name}.toml").read_text("utf-8")), shape)
