"""Every image of the corpus, decoded wholly, beside what Pillow alone made of it; none costs much.

Each image on which the two do not agree stands in `DEVIATIONS` with the reason.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import PIL
import pytest
from packaging.version import Version

from crawler.images import Measure, NeedMoreBytes, measure
from crawler.images.decode import PIXEL_PROOF, Decoded
from crawler.images.decode_pool import DecodeLimits, DecodePool
from storage.model import Picture

MOST = 178_956_970
STRUCTURAL = frozenset({"SVG", "HEIC", "HEIF", "JXL"})  # what Pillow never reads
FOREIGN = "a format that no page shows"
SHOWN = "Pillow refuses it, and browsers show it: all its pixels are there"
DEVIATIONS = {
    "image-size/valid/icns/sample.icns": FOREIGN,
    "image-size/valid/pnm/sample.pbm": FOREIGN,
    "image-size/valid/pnm/sample.pgm": FOREIGN,
    "image-size/valid/pnm/sample.ppm": FOREIGN,
    "image-png/bugfixes/issue#430.png": SHOWN,
    "image-png/bugfixes/x_consecutive_idat.png": SHOWN,
    "pillow/png_decompression_dos.png": SHOWN,
    "pillow/truncated_jpeg.jpg": "only its end marker is missing",
    "pillow/bmp/g/rgb32bf.bmp": SHOWN,
    "pillow/bmp/q/pal2.bmp": SHOWN,
    "pillow/bmp/q/pal8os2v2-16.bmp": SHOWN,
    "pillow/bmp/q/pal8oversizepal.bmp": SHOWN,
    "pillow/bmp/q/rgb16-231.bmp": SHOWN,
    "pillow/bmp/q/rgba16-4444.bmp": SHOWN,
    "pillow/psd-oob-write-overflow.psd": "one of its layers is broken, and the picture itself is not",
}


def used(pid: int) -> tuple[float, int]:
    """Seconds of processor time that a process took so far, and the most memory in MB."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    status = Path(f"/proc/{pid}/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    ticks = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK"), int(peak.split()[1]) // 1024


@pytest.mark.skipif(
    Version(PIL.__version__) < Version("13"), reason="the table says what Pillow 13 makes of each image"
)
async def test_images_of_the_corpus(corpus: Path) -> None:
    """All are right or explained; none takes 2 s or 300 MB, and none ends the process that decodes."""
    said: list[dict[str, Any]] = json.loads((corpus / "images.expected.json").read_text())["images"]
    wrong: list[str] = []
    dear: list[str] = []
    pool = DecodePool(DecodeLimits(MOST, count=1))
    assert isinstance(
        await pool.prove(corpus / "images" / "fastimage" / "test.jpg", "JPEG", PIXEL_PROOF), Decoded
    )
    process = pool._idle.get_nowait()
    assert process is not None
    pool._idle.put_nowait(process)
    for one in said:
        path, before = corpus / "images" / one["path"], used(process.pid)[0]
        whole = await _whole(pool, path)
        fine = one.get("pillow", {}).get("load") == "ok"
        if whole is not None and whole != fine and one["path"] not in DEVIATIONS:
            wrong.append(one["path"])
        if used(process.pid)[0] - before > 2:
            dear.append(one["path"])
    _, memory = used(process.pid)
    await pool.close()

    assert wrong == []
    assert dear == []
    assert memory < 300
    assert process.returncode == -9  # the one that began: none was lost on the way


def _measured(path: Path) -> Measure:
    data = path.read_bytes()
    found = measure(data, complete=False)
    return measure(data, complete=True) if isinstance(found, NeedMoreBytes) else found


async def _whole(pool: DecodePool, path: Path) -> bool | None:
    """Whether an image is whole; None where Pillow is no judge of its format."""
    found = _measured(path)
    if not isinstance(found, Picture):
        return False
    if found.format in STRUCTURAL:
        return None
    if found.size is not None and found.size.width * found.size.height > MOST:
        return False
    return isinstance(await pool.prove(path, found.format, PIXEL_PROOF), Decoded)
