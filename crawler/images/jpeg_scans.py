"""The scans of a JPEG without decoding them: do they end, are restart markers missing, are there holes.

Decoders say nothing of what is missing: they fill it in. ITU T.81 says how much has to be there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from crawler.images.flaw import Flaw
from crawler.images.formats.jpeg import END_MARKER, FRAME_MARKERS, STANDALONE_MARKERS
from storage.frozen import frozen

ENTROPY_END: Final = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # B.1.1.5: a marker that ends a scan
RESTARTS: Final = re.compile(rb"\xff([\xd0-\xd7])")
SCAN_MARKER: Final = 0xDA
TABLES_MARKER: Final = 0xC4
INTERVAL_MARKER: Final = 0xDD
SEQUENTIAL_MARKERS: Final = frozenset({0xC0, 0xC1})
PROGRESSIVE_MARKERS: Final = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
ARITHMETIC_MARKERS: Final = frozenset(range(0xC9, 0xD0))  # CC is none of a frame
BLOCK_COEFFICIENTS: Final = 64
HOLE: Final = bytes(256)  # no picture of a camera or an encoder has so many zero bits in a row
END: Final = b"\xff\xd9"


@frozen
class JpegFrame:
    """The frame header: marker, size, and the sampling factors of each component by its identifier."""

    marker: int
    width: int
    height: int
    sampling: dict[int, tuple[int, int]]


@frozen
class JpegScan:
    """One scan: its components, and where its entropy-coded bytes begin and end.

    `first` to `last` are its coefficients, `high` and `low` the bit before and the bit that it ends with
    (B.2.3); `interval` is how many units lie between two restart markers, 0 if there are none.
    """

    components: tuple[int, ...]
    start: int
    end: int
    first: int = 0
    last: int = BLOCK_COEFFICIENTS - 1
    high: int = 0
    low: int = 0
    interval: int = 0


@frozen
class JpegScans:
    """What the markers of a JPEG tell; `ended` is whether it has its end marker.

    `flat_zeros` tells that zero bits are valid code for blocks without any detail.
    """

    frame: JpegFrame | None
    scans: tuple[JpegScan, ...]
    has_end: bool
    flat_zeros: bool

    @property
    def is_sequential(self) -> bool:
        """Whether each scan holds all of its blocks at once, in Huffman code."""
        return self.frame is not None and self.frame.marker in SEQUENTIAL_MARKERS

    @property
    def is_arithmetic(self) -> bool:
        """Whether its code is one whose decoders read on behind its end."""
        return self.frame is not None and self.frame.marker in ARITHMETIC_MARKERS

    @property
    def is_plain(self) -> bool:
        """Whether one scan without restart markers holds everything: then its last block tells of all."""
        return self.is_sequential and len(self.scans) == 1 and not self.scans[0].interval


def read_scans(data: bytes) -> JpegScans:
    """Read the markers of a whole file.

    Raises:
        IndexError: a segment ends behind it.
    """
    frame: JpegFrame | None = None
    scans: list[JpegScan] = []
    interval, flat_zeros, has_end = 0, True, False
    for marker, at, end in _markers(data):
        if marker == END_MARKER:
            has_end = True
        elif marker in FRAME_MARKERS and frame is None:
            frame = _frame(data, marker, at)
        elif marker == INTERVAL_MARKER:
            interval = int.from_bytes(data[at + 2 : at + 4], "big")
        elif marker == TABLES_MARKER:
            flat_zeros = flat_zeros and _has_flat_zeros(data[at + 2 : end])
        elif marker == SCAN_MARKER:
            scans.append(_scan(data, at, end, interval))
    return JpegScans(frame, tuple(scans), has_end, flat_zeros)


def flaw(data: bytes, scans: JpegScans) -> Flaw | None:
    """What the markers say is wrong; a missing end marker is for the pixels to judge."""
    if not scans.scans or scans.frame is None:
        return Flaw(
            "JPEG without a scan" + ("" if scans.has_end else f": it breaks off after {len(data)} bytes")
        )
    if _lacks_scans(scans.frame, scans.scans):
        return Flaw("JPEG that lacks some of its scans: it is shown without detail, or without colours")
    if not all(_restarts_fit(data, scans.frame, scan) for scan in scans.scans):
        return Flaw("JPEG whose restart markers are not all there: a part of its pixels is missing")
    may_have_holes = scans.is_sequential and not scans.flat_zeros
    if may_have_holes and any(HOLE in data[scan.start : scan.end] for scan in scans.scans):
        return Flaw("JPEG with a hole: zeros stand where its pixels were")
    if not scans.has_end:
        return Flaw(
            f"JPEG without its end marker: it breaks off after {len(data)} bytes", None, for_pixels=True
        )
    return None


def without_end(data: bytes, scans: JpegScans) -> bytes:
    """The file up to where its last scan ends."""
    return data[: scans.scans[-1].end].rstrip(b"\xff")


def with_noise(data: bytes, scans: JpegScans, noise: bytes, restart_noise: bytes) -> bytes:
    """The file up to where its last scan ends, with noise behind each scan and each of its intervals."""
    parts: list[bytes] = []
    at = 0
    for scan in scans.scans:
        restarts = RESTARTS.finditer(data, scan.start, scan.end) if scan.interval else ()
        for end, addition in [*((match.start(), restart_noise) for match in restarts), (scan.end, noise)]:
            parts += (data[at:end].rstrip(b"\xff"), addition)
            at = end
    return b"".join(parts)


def _markers(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Each marker, where its segment begins, and where it ends."""
    at = 2
    while (match := ENTROPY_END.search(data, at)) is not None:
        marker, at = data[match.end() - 1], match.end()
        if marker == END_MARKER:
            yield marker, at, at
            return
        if marker in STANDALONE_MARKERS:
            continue
        end = at + max(2, int.from_bytes(data[at : at + 2], "big"))
        if end > len(data):
            return
        yield marker, at, end
        at = end


def _scan(data: bytes, at: int, end: int, interval: int) -> JpegScan:
    """B.2.3: components with their tables, spectral selection, successive approximation."""
    behind = at + 3 + 2 * data[at + 2]
    components = tuple(data[at + 3 : behind : 2])
    first, last, bits = data[behind : behind + 3]
    end_of_code = _entropy_end(data, end)
    return JpegScan(components, end, end_of_code, first, last, bits >> 4, bits & 15, interval)


def _entropy_end(data: bytes, start: int) -> int:
    match = ENTROPY_END.search(data, start)
    return match.start() if match else len(data)


def _frame(data: bytes, marker: int, at: int) -> JpegFrame:
    """B.2.2: precision, height, width, components."""
    height, width = int.from_bytes(data[at + 3 : at + 5], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
    fields = range(at + 8, at + 8 + 3 * data[at + 7], 3)
    sampling = {data[n]: (data[n + 1] >> 4 or 1, data[n + 1] & 15 or 1) for n in fields}
    return JpegFrame(marker, width, height, sampling)


def _lacks_scans(frame: JpegFrame, scans: tuple[JpegScan, ...]) -> bool:
    """Whether a component has no scan or, in a progressive file, a bit of a coefficient none (G.1.1)."""
    if frame.marker not in PROGRESSIVE_MARKERS:
        return not frame.sampling.keys() <= {name for scan in scans for name in scan.components}
    bits_left = {(name, n): -1 for name in frame.sampling for n in range(BLOCK_COEFFICIENTS)}
    for scan in scans:
        for name in scan.components:
            for n in range(scan.first, min(scan.last, BLOCK_COEFFICIENTS - 1) + 1):
                if scan.high and bits_left.get((name, n), scan.high) != scan.high:
                    return True
                bits_left[name, n] = scan.low
    return any(bits_left.values())


def _restarts_fit(data: bytes, frame: JpegFrame, scan: JpegScan) -> bool:
    """Whether a scan has its restart markers, in their order (B.1.1.3, E.1.4)."""
    interval = scan.interval
    if not interval or not frame.height or not frame.sampling:
        return True
    codes = [match[1][0] - 0xD0 for match in RESTARTS.finditer(data, scan.start, scan.end)]
    expected = _quotient(_units(frame, scan), interval) - 1
    return len(codes) >= expected and all(code == n % 8 for n, code in enumerate(codes))


def _units(frame: JpegFrame, scan: JpegScan) -> int:
    """Minimum coded units of a scan (A.2)."""
    widest = max(horizontal for horizontal, _ in frame.sampling.values())
    highest = max(vertical for _, vertical in frame.sampling.values())
    if len(scan.components) != 1:
        return _quotient(frame.width, 8 * widest) * _quotient(frame.height, 8 * highest)
    horizontal, vertical = frame.sampling.get(scan.components[0], (1, 1))
    columns = _quotient(_quotient(frame.width * horizontal, widest), 8)
    return columns * _quotient(_quotient(frame.height * vertical, highest), 8)


def _quotient(dividend: int, divisor: int) -> int:
    """The quotient, rounded up."""
    return -(-dividend // divisor)


def _has_flat_zeros(tables: bytes) -> bool:
    """Whether zero bits end a block in each table of AC coefficients: the first code means "end of block"."""
    at = 0
    while at + 17 <= len(tables):
        count = sum(tables[at + 1 : at + 17])
        if tables[at] >> 4 and tables[at + 17 : at + 18] != b"\0":
            return False
        at += 17 + count
    return True
