"""Bodies that open to far more than they weigh: a verdict, in little memory."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import brotli
import pytest
import zstandard

from storage.model import Kind
from tests.behaviours.alone import Said, measured
from tests.behaviours.table import H, no_head, pic
from tests.site import Step, answer, serve

pytestmark = pytest.mark.libraries

MOST = 6 * 1024 * 1024  # bytes of memory for one answer, of which a decoder's window may be two
# Brotli may look back 16 MiB (RFC 7932), and the allocator may keep one such window for the next.
WIDEST = 36 * 1024 * 1024
OPENED = 11_000_000  # bytes, at least, that each bomb opens to
CODINGS = ("gzip", "deflate", "br", "zstd")


def opened(coding: str, data: bytes) -> int:
    """How many bytes there are in a body, opened without a limit."""
    whole = {
        "gzip": gzip.decompress,
        "deflate": zlib.decompress,
        "br": brotli.decompress,
        "zstd": lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body),
    }
    return len(whole[coding](data))


async def ask(kind: Kind, steps: dict[str, Step]) -> dict[str, Said]:
    """What a process of its own says of each answer to GET; HEAD is refused."""
    urls = {name: f"{H}/{number}" for number, name in enumerate(steps)}
    async with serve() as site:
        site.add(f"{H}/", pic())
        for name, step in steps.items():
            for method, script in no_head(step).items():
                site.add(urls[name], *script, method=method)
        return await measured(site, kind, f"{H}/", urls)


def coded(*codings: str, body: bytes) -> Step:
    """A body in these codings, with the type that a page or an image would have."""
    return answer(200, body, Content_Type="text/html", Content_Encoding=", ".join(codings))


@pytest.mark.parametrize(
    ("kind", "verdict"), [(Kind.WEB, "ok"), (Kind.AMP, "not-amp"), (Kind.IMAGE, "wrong-type")]
)
async def test_bombs(corpus: Path, kind: Kind, verdict: str) -> None:
    """A bomb is opened as far as its check reads, whatever it is said to be."""
    bombs = {name: (corpus / "compressed" / f"bomb-{name}.bin").read_bytes() for name in CODINGS}
    said = await ask(kind, {name: coded(name, body=body) for name, body in bombs.items()})

    for name, body in bombs.items():
        assert opened(name, body) > OPENED
        assert said[name].verdict == verdict, (name, said[name])
        # Brotli's window alone is larger than this bomb, so a larger one has to tell: see below.
        assert name == "br" or said[name].grown < MOST, (name, said[name])


@pytest.mark.parametrize(("kind", "verdict"), [(Kind.WEB, "ok"), (Kind.IMAGE, "wrong-type")])
async def test_larger_bombs(kind: Kind, verdict: str) -> None:
    """Codings over one another multiply, but each layer has the same limit, and few are undone."""
    data = b"a" * 200_000_000
    zeros = gzip.compress(data, 6)
    wide = coded("br", body=brotli.compress(data, quality=1, lgwin=24))
    layers = {
        "2": coded("gzip", "gzip", body=gzip.compress(zeros)),
        "3": coded("gzip", "br", "zstd", body=zstandard.compress(brotli.compress(zeros, quality=1))),
    }
    many = coded(*["gzip"] * 9, body=gzip.compress(zeros))
    said = await ask(kind, {**layers, "9": many, "wide": wide})

    assert {name: said[name].verdict for name in layers} == dict.fromkeys(layers, verdict)
    assert said["9"].verdict == "bad-response"
    assert max(said[name].grown for name in (*layers, "9")) < MOST, said
    assert (said["wide"].verdict, said["wide"].grown < WIDEST) == (verdict, True), said


async def test_windows_that_need_much_memory() -> None:
    """A zstd frame may ask for a window of gigabytes; RFC 9659 asks nobody to give more than 8 MiB."""
    parameters = zstandard.ZstdCompressionParameters(window_log=27, compression_level=1)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    body = compressor.compress(b"<p>" * 100_000) + compressor.flush()
    said = await ask(Kind.WEB, {"a window of 128 MiB": coded("zstd", body=body)})

    assert said["a window of 128 MiB"].verdict == "bad-response"
    assert said["a window of 128 MiB"].grown < MOST
