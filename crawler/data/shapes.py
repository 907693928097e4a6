"""The shapes of the data files: what each may hold, so that a wrong file fails where it is read."""

from __future__ import annotations

from datetime import date
from typing import NotRequired, TypedDict


class WallEntry(TypedDict):
    """A vendor of walls, by the names of its headers and by text in the source of its pages."""

    name: str
    headers: list[str]
    pages: list[str]
    source: str
    date: date


class WallTable(TypedDict):
    """The content of walls.toml."""

    wall: list[WallEntry]


class HostRule(TypedDict):
    """A rule of hosts.toml: patterns of hosts, and what holds for them."""

    hosts: list[str]
    why: str
    date: date
    head: NotRequired[bool]
    wall: NotRequired[list[int]]
    lane: NotRequired[str]


class HostTable(TypedDict):
    """The content of hosts.toml."""

    rule: list[HostRule]


class RenderingSystem(TypedDict):
    """A system that sends whole pages: its names as a generator, and paths of its scripts."""

    name: str
    generators: list[str]
    scripts: list[str]
    source: str
    date: date


class RenderingTable(TypedDict):
    """The content of rendering.toml."""

    system: list[RenderingSystem]


class NotFoundWords(TypedDict):
    """How pages of a language say that something is not there: anywhere in the text, or as the title."""

    phrases: list[str]
    titles: list[str]


class GateTable(TypedDict):
    """The content of gates.toml: words of URLs, names of consent platforms, phrases that a reader sees."""

    words: list[str]
    consent: list[str]
    login_phrases: list[str]
    consent_phrases: list[str]
    paywall_phrases: list[str]
    region_phrases: list[str]
    maintenance_phrases: list[str]


class ParkingEntry(TypedDict):
    """Who parks domains, and how that is known: parked.toml tells what each means."""

    name: str
    hosts: list[str]
    marks: list[str]
    source: str
    date: date
    networks: NotRequired[list[str]]
    name_servers: NotRequired[list[str]]


class SalePhrases(TypedDict):
    """What a reader sees where a domain is for sale, with or without its name."""

    phrases: list[str]
    named_phrases: list[str]


class SpamWords(TypedDict):
    """What domains sell that were registered anew for their old links."""

    words: list[str]


class StandInPhrases(TypedDict):
    """What a reader sees where a site is still to come, or where its host shows a page of its own."""

    phrases: list[str]


class ParkingTable(TypedDict):
    """The content of parked.toml."""

    parking: list[ParkingEntry]
    sale: SalePhrases
    stand_in: StandInPhrases
    spam: SpamWords
