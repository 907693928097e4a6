"""Durations, sizes, detours and other texts as people write them."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Final

from crawler.errors import UrlError
from crawler.fetch.transport.connect_to import ConnectTo
from crawler.urls import request_url

UNIT_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
BYTES_PER_UNIT: Final = {
    "": 1,
    "b": 1,
    "kb": 1000,
    "mb": 1000**2,
    "gb": 1000**3,
    "kib": 1024,
    "mib": 1024**2,
    "gib": 1024**3,
    "tib": 1024**4,
}
DURATION: Final = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+")
DURATION_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
BYTE_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([a-zA-Z]*)")
DETOUR_PARTS: Final = 4
MAX_DURATION: Final = 100 * 365 * 86_400.0  # a century: dates have an end
MAX_BYTES: Final = 2**63 - 1  # what databases and the kernel can count
DIGEST_TEXT: Final = re.compile(r"sha256:[0-9a-f]{64}")
PORT_TEXT: Final = re.compile(r"[0-9]{1,5}")
MAX_PORT: Final = 65_535


class BadValue(ValueError):
    """A value of the configuration is none; the text says what to write."""


class Duration(float):
    """Seconds, written as a number or as "30s", "10m", "1h30m", "7d"."""

    __slots__ = ()


class ByteSize(int):
    """Bytes, written as a number or as "32MiB"."""

    __slots__ = ()


class CidrText(str):
    """A network such as "10.0.0.0/8"."""

    __slots__ = ()


class ConnectToText(str):
    """A detour such as "::127.0.0.1:8080"."""

    __slots__ = ()


class DigestText(str):
    """A digest such as "sha256:..."."""

    __slots__ = ()


class UrlText(str):
    """A URL that can be asked."""

    __slots__ = ()


class MaybeUrl(str):
    """A URL that can be asked, or nothing."""

    __slots__ = ()


class HeaderText(str):
    """What a header field may hold: no control characters."""

    __slots__ = ()


def parse_duration(value: object) -> Duration:
    """Seconds from a number or a text.

    Raises:
        BadValue: it is neither, or negative, or longer than a century.
    """
    seconds = _seconds(value)
    if seconds is None:
        raise BadValue(f'{value!r} is no duration: write seconds, or "30s", "10m", "7d"')
    if seconds > MAX_DURATION:
        raise BadValue(f"{_cut(value)} is too long: a century at most, 36500d")
    return Duration(seconds)


def _seconds(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return min(value, 2 * MAX_DURATION)
    text = value.strip().lower() if isinstance(value, str) else ""
    if DURATION.fullmatch(text):
        return sum(float(number) * UNIT_SECONDS[unit] for number, unit in DURATION_PART.findall(text))
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else None


def _cut(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:40]}…"  # noqa: PLR2004 - enough to find it again


def parse_size(value: object) -> ByteSize:
    """Bytes from a number or a text.

    Raises:
        BadValue: it is neither, or negative, or more than anything can count.
    """
    size = _bytes(value)
    if size is None:
        raise BadValue(f'{value!r} is no size: write bytes, or "32MiB"')
    if size > MAX_BYTES:
        raise BadValue(f"{_cut(value)} is too large: {MAX_BYTES} bytes at most")
    return ByteSize(size)


def _bytes(value: object) -> float | None:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    match = BYTE_SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or match[2].lower() not in BYTES_PER_UNIT:
        return None
    return float(match[1]) * BYTES_PER_UNIT[match[2].lower()]


def parse_cidr(value: object) -> CidrText:
    """A network, checked.

    Raises:
        BadValue: it is none.
    """
    try:
        ip_network(str(value), strict=False)
    except ValueError as exc:
        raise BadValue(f'{value!r} is no network: write "10.0.0.0/8"') from exc
    return CidrText(value)


def check_digest(value: object) -> DigestText:
    """A digest, checked.

    Raises:
        BadValue: it is none.
    """
    text = str(value).strip().lower()
    if not DIGEST_TEXT.fullmatch(text):
        raise BadValue(f'{value!r} is no digest: write "sha256:" and 64 hexadecimal digits')
    return DigestText(text)


def parse_detour(text: str) -> ConnectTo:
    """HOST1:PORT1:HOST2:PORT2 as in curl; IPv6 addresses in brackets, any part may be empty.

    Raises:
        BadValue: it is not of that form.
    """
    parts = re.findall(r"(\[[^\]]*\]|[^:\[\]]*)(?::|$)", text)[:DETOUR_PARTS]
    ports = [part for part in parts[1::2] if part]
    if text.count(":") < DETOUR_PARTS - 1 or not all(map(_is_port, ports)):
        raise BadValue(f"{text!r} is not HOST1:PORT1:HOST2:PORT2 (the first two may be empty)")
    hosts = [part.strip("[]").lower() or None for part in (parts[0], parts[2])]
    numbers = [int(part) if part else None for part in (parts[1], parts[3])]
    return ConnectTo(hosts[0], numbers[0], hosts[1], numbers[1])


def _is_port(text: str) -> bool:
    return PORT_TEXT.fullmatch(text) is not None and int(text) <= MAX_PORT


def check_detour(value: object) -> ConnectToText:
    """A detour, checked, as text.

    Raises:
        BadValue: it is none.
    """
    parse_detour(str(value))
    return ConnectToText(value)


def check_url(value: object) -> UrlText:
    """A URL, checked, as it will be asked.

    Raises:
        BadValue: it is none.
    """
    try:
        return UrlText(request_url(str(value)))
    except UrlError as exc:
        raise BadValue(f"{value!r} cannot be asked: {exc}") from exc


def check_maybe_url(value: object) -> MaybeUrl:
    """A URL, checked, as it will be asked; an empty text is none.

    Raises:
        BadValue: it is something else.
    """
    return MaybeUrl("" if value == "" else check_url(value))


def check_header_text(value: object) -> HeaderText:
    """The value of a header field, checked: a line break in it would begin another field.

    Raises:
        BadValue: it is none.
    """
    if not isinstance(value, str) or not value.isprintable():
        raise BadValue(f"{value!r} cannot be sent as a header: write a line without control characters")
    return HeaderText(value)


PARSERS: Final = {
    Duration: parse_duration,
    ByteSize: parse_size,
    CidrText: parse_cidr,
    DigestText: check_digest,
    ConnectToText: check_detour,
    UrlText: check_url,
    MaybeUrl: check_maybe_url,
    HeaderText: check_header_text,
}
