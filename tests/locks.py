"""Whether the locks fit pyproject.toml; `make check` names packages added, bounded anew or dropped."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parents[1]
# Which extras each lock holds beside what linkhealth always needs.
EXTRAS: Final[Mapping[str, Sequence[str]]] = {"run": (), "test": ("test",), "dev": ("dev",)}
# One entry: the pin, then its hashes and, as remarks, what asked for it.
ENTRY: Final = re.compile(r"^(\w[^\n\\]*?==[^\n\\]*?) \\\n((?: .*\n)*)", re.MULTILINE)
DIRECT: Final = "linkhealth (pyproject.toml)"


class Project(msgspec.Struct):
    """The part of `[project]` that asks for packages."""

    dependencies: list[str]
    extras: dict[str, list[str]] = msgspec.field(name="optional-dependencies", default_factory=dict)


class Build(msgspec.Struct):
    """The part of `[build-system]` that asks for packages."""

    requires: list[str]


class Manifest(msgspec.Struct):
    """What pyproject.toml asks for."""

    project: Project
    build: Build = msgspec.field(name="build-system")


@dataclass(frozen=True, slots=True)
class Pin:
    """A package at one version; `direct` is one that pyproject.toml itself asks for."""

    name: str
    version: str
    extras: frozenset[str]
    direct: bool


def read_pins(lock: str) -> list[Pin]:
    """The entries of a lock."""
    found = ((Requirement(entry[1]), entry[2]) for entry in ENTRY.finditer(lock))
    return [
        Pin(_name(pin), next(iter(pin.specifier)).version, frozenset(pin.extras), DIRECT in remarks)
        for pin, remarks in found
    ]


def wanted(manifest: Manifest, extras: Iterable[str]) -> Iterator[Requirement]:
    """What has to be installed with these extras; an extra of linkhealth's own stands for what it holds."""
    lines = [*manifest.project.dependencies]
    for extra in extras:
        lines += manifest.project.extras[extra]
    for requirement in map(Requirement, lines):
        if _name(requirement) == "linkhealth":
            yield from wanted(manifest, requirement.extras)
        else:
            yield requirement


def misfits(manifest: Manifest, extras: Sequence[str], pins: Sequence[Pin]) -> Iterator[str]:
    """What is wrong with a lock, a few words each."""
    asked = [*wanted(manifest, extras)]
    for requirement in [*asked, *map(Requirement, manifest.build.requires)]:
        locked = [pin for pin in pins if pin.name == _name(requirement)]
        if not locked:
            yield f"{requirement.name} is not locked"
        yield from (
            f"{requirement.name} is locked at {pin.version}, not {requirement.specifier}"
            for pin in locked
            if not requirement.specifier.contains(pin.version, prereleases=True)
        )
        if locked and not any(requirement.extras <= pin.extras for pin in locked):
            yield f"{requirement.name} is locked without [{','.join(sorted(requirement.extras))}]"
    names = {_name(requirement) for requirement in asked}
    yield from (
        f"{pin.name} is locked, and not asked for" for pin in pins if pin.direct and pin.name not in names
    )


def check(root: Path) -> list[str]:
    """One line for each misfit of each lock of a project."""
    manifest = msgspec.toml.decode((root / "pyproject.toml").read_bytes(), type=Manifest)
    found: dict[str, None] = {}  # a dict keeps the order, and each line once
    for lock, extras in EXTRAS.items():
        path = root / "locks" / f"{lock}.txt"
        if not path.is_file():
            found[f"locks/{lock}.txt is missing"] = None
            continue
        pins = read_pins(path.read_text(encoding="utf-8"))
        found.update((f"locks/{lock}.txt: {words}", None) for words in misfits(manifest, extras, pins))
    return [*found]


def _name(requirement: Requirement) -> str:
    return canonicalize_name(requirement.name)


if __name__ == "__main__":
    PROBLEMS = check(ROOT)
    if PROBLEMS:
        sys.exit("\n".join([*PROBLEMS, "the lock does not fit pyproject.toml: run make lock"]))
