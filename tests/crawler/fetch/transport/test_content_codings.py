"""Content codings, undone within bounds."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Callable
from pathlib import Path

import brotli
import pytest
import zstandard

from crawler.errors import BadResponse
from crawler.fetch.transport.content_codings import coding_names, decode

pytestmark = pytest.mark.libraries

PAGE = b"<p>the same sentence over and over</p>" * 400


def raw_deflate(data: bytes) -> bytes:
    """Deflate without the zlib header, as many servers send it."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "brotli": ("br", brotli.compress),
    "zstd": ("zstd", zstandard.compress),
    "none": ("identity", bytes),
}


@pytest.mark.parametrize("name", PACKERS)
def test_each_coding_is_undone(name: str) -> None:
    """Every coding that we accept is undone to the last byte."""
    header, pack = PACKERS[name]

    assert decode(pack(PAGE), header, 1_000_000, whole=True) == PAGE


@pytest.mark.parametrize("name", PACKERS)
def test_a_bomb_opens_to_its_limit(name: str) -> None:
    """However much a body would open to, no more than the limit is ever made of it."""
    header, pack = PACKERS[name]

    assert decode(pack(b"\0" * 5_000_000), header, 1000, whole=True)[:1000] == b"\0" * 1000


@pytest.mark.parametrize("name", PACKERS)
@pytest.mark.parametrize("length", [0, 1, 65_535, 65_536, 65_537, 100_000, 300_000])
def test_no_length_is_special(name: str, length: int) -> None:
    """A body is undone to its last byte, whether it packs well or not at all."""
    header, pack = PACKERS[name]
    for body in (random.Random(length).randbytes(length), b"a" * length):
        for whole in (True, False):
            assert decode(pack(body), header, 1_000_000, whole=whole) == body


@pytest.mark.parametrize("name", ["gzip", "zlibdeflate", "rawdeflate", "br", "gzip-deflate"])
def test_real_pages(corpus: Path, name: str) -> None:
    """What other programs packed is opened from its first byte to its last."""
    header = {"zlibdeflate": "deflate", "rawdeflate": "deflate", "gzip-deflate": "gzip, deflate"}
    data = (corpus / "compressed" / f"html-{name}.bin").read_bytes()
    page = decode(data, header.get(name, name), 1_000_000, whole=True)

    assert page.startswith(b"<!DOCTYPE HTML")
    assert page.endswith(b"</html>\n")


def test_layers_are_undone_from_the_outside() -> None:
    """Codings over one another are undone in reverse; too many are refused."""
    assert decode(gzip.compress(zlib.compress(PAGE)), "deflate, gzip", 10**6, whole=True) == PAGE
    with pytest.raises(BadResponse, match="5 content codings"):
        decode(b"x", "gzip,gzip,gzip,gzip,gzip", 10, whole=True)


@pytest.mark.parametrize("header", ["gzip", "deflate", "br", "zstd"])
def test_what_is_not_in_its_coding_is_a_bad_response(header: str) -> None:
    """A body that is not in the coding it claims is an error with a reason."""
    with pytest.raises(BadResponse, match=r"content coding|the body is not"):
        decode(b"<html>plain</html>", header, 1000, whole=True)


@pytest.mark.parametrize("name", ["gzip", "deflate", "raw deflate", "brotli", "zstd"])
@pytest.mark.parametrize("left", [1, 6, 20])
def test_a_whole_body_that_ends_too_early_is_told(name: str, left: int) -> None:
    """A coded body that was cut is an error when it came whole, and fine when we cut it."""
    header, pack = PACKERS[name]
    cut = pack(PAGE)[:-left]

    with pytest.raises(BadResponse):
        decode(cut, header, 10**6, whole=True)
    assert PAGE.startswith(decode(cut, header, 10**6, whole=False))


@pytest.mark.parametrize("header", ["none", "utf-8", "aws-chunked", "binary", "compress", "gzip, none"])
def test_an_unknown_coding_is_passed_through(header: str) -> None:
    """Browsers show the body as it came, whatever else stands beside the name that they do not know."""
    assert coding_names(header) == []
    assert decode(PAGE, header, 10**6, whole=True) == PAGE


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("padding", [b"", b"\0" * 512, b"\r\n"])
def test_a_gzip_of_several_members_is_read_to_its_end(padding: bytes, *, whole: bool) -> None:
    """RFC 1952, 2.2: the members follow one another, and what is none of them is padding."""
    data = gzip.compress(PAGE) + gzip.compress(b"") + gzip.compress(b"the end") + padding

    assert decode(data, "gzip", 10**6, whole=whole) == PAGE + b"the end"
    assert decode(data, "gzip", len(PAGE) + 3, whole=whole) == PAGE + b"the"


def test_a_last_member_that_ends_too_early_is_told() -> None:
    """The ones before it do not make it whole."""
    data = gzip.compress(b"first") + gzip.compress(PAGE)[:-9]

    with pytest.raises(BadResponse, match="ends too early"):
        decode(data, "gzip", 10**6, whole=True)
    assert decode(data, "gzip", 10**6, whole=False).startswith(b"first<p>")


def test_many_empty_members_take_no_time() -> None:
    """A body of nothing but members is read in one pass, and no further than a bound."""
    assert decode(gzip.compress(b"") * 400_000, "gzip", 10**6, whole=True) == b""
