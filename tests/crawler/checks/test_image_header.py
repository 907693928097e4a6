"""What an image is asked, how its answer is judged, and when more is asked."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PIL import Image

from crawler.checks.base import Judgement
from crawler.checks.image_header import (
    FIRST_RANGE_BYTES,
    MAX_LEADING_BYTES,
    RANGE_SLACK_BYTES,
    SECOND_RANGE_BYTES,
    ImageCheck,
    SizeReached,
)
from crawler.fetch.base import Request, Response, Trace
from storage.model import Kind, Picture, Size, Target, Verdict

pytestmark = pytest.mark.libraries

CHECK = ImageCheck(max_bytes=10_000_000, max_pixels=1_000_000)
TARGET = Target(1, "http://news.example/a.jpg", Kind.IMAGE)
SIZE = Size(40, 30)


def image(form: str = "PNG", size: Size = SIZE, profile: int = 0) -> bytes:
    """A small image, its size behind a profile of so many bytes."""
    out = io.BytesIO()
    Image.new("RGB", (size.width, size.height)).save(out, form, icc_profile=bytes(profile))
    return out.getvalue()


def whole(body: bytes, **facts: int | str | None) -> Response:
    """An answer of 200 whose body was read to its end."""
    broken = facts.get("broken")
    length = facts.get("length", len(body))
    assert broken is None or isinstance(broken, str)
    assert length is None or isinstance(length, int)
    return Response(TARGET.url, 200, {}, body, complete=broken is None, length=length, broken=broken)


def part(data: bytes, length: int, start: int = 0, total: int | None = None) -> Response:
    """A partial answer that is what it says."""
    total = len(data) if total is None else total
    body = data[start : start + length]
    headers = {"Content-Range": f"bytes {start}-{start + len(body) - 1}/{total}"}
    return Response(TARGET.url, 206, headers, body, length=total)


def asked(check: ImageCheck = CHECK) -> Request:
    """The first request."""
    return check.ask(TARGET, Trace())


def judged(answer: Response, check: ImageCheck = CHECK) -> Judgement:
    """The judgement on an answer to the first request; a blame is asked for again without a Range."""
    found = check.judge(asked(check), answer)
    if isinstance(found, Request) and "Range" not in found.headers:
        found = check.judge(found, answer)
    assert isinstance(found, Judgement), found
    return found


def ranges(data: bytes) -> Iterator[str | None]:
    """The ranges that are asked for at a server that obeys them, until the judgement."""
    step: Request | Judgement = asked()
    while isinstance(step, Request):
        said = step.headers.get("Range")
        yield said
        end = int(said.rpartition("-")[2]) + 1 if said else len(data)
        step = CHECK.judge(step, part(data, end))


def test_the_first_request() -> None:
    """The leading bytes are asked for, uncoded, as images, and a broken body is for the check."""
    request = asked()
    assert (request.method, request.url, request.tolerant) == ("GET", TARGET.url, True)
    assert request.headers["Range"] == f"bytes=0-{FIRST_RANGE_BYTES - 1}"
    assert request.headers["Accept-Encoding"] == "identity"
    assert request.headers["Accept"].startswith("image/")
    assert request.limit == MAX_LEADING_BYTES


def test_a_whole_image() -> None:
    """A small image that came whole is fine, and its length is known."""
    data = image()
    assert judged(whole(data)).picture == Picture(SIZE, SIZE, "PNG", 1, 1, "RGB", len(data))
    assert judged(whole(data)).verdict is Verdict.OK


def test_a_part_that_tells_the_size() -> None:
    """The length of a partial answer's image is the total that it names."""
    found = judged(part(image("BMP", Size(90, 60)), FIRST_RANGE_BYTES))
    assert found.picture is not None
    assert (found.picture.size, found.picture.bytes) == (Size(90, 60), len(image("BMP", Size(90, 60))))


def test_growing_once() -> None:
    """A size behind a profile is asked for where the header points to, once."""
    first, second = ranges(image("JPEG", profile=5000))
    assert first == f"bytes=0-{FIRST_RANGE_BYTES - 1}"
    assert second is not None
    assert int(second.rpartition("-")[2]) < 5500 + RANGE_SLACK_BYTES


def test_a_large_profile() -> None:
    """A profile of 150 KB in several segments costs one more request."""
    assert list(ranges(image("JPEG", profile=150_000)))[1:] == [f"bytes=0-{SECOND_RANGE_BYTES - 1}"]


def test_growing_twice_at_most() -> None:
    """Behind many long segments a third and last request asks for all that an audit reads."""
    assert list(ranges(image("JPEG", profile=400_000)))[2:] == [f"bytes=0-{MAX_LEADING_BYTES - 1}"]


def test_a_size_that_no_audit_reads() -> None:
    """An image whose size lies behind the bound is fine, and its size is not known."""
    data = b"II*\0" + (50_000_000).to_bytes(4, "little") + bytes(4000)
    check = ImageCheck(max_bytes=100_000_000, max_pixels=1)
    found = judged(part(data, FIRST_RANGE_BYTES, total=60_000_000), check)
    assert (found.verdict, found.picture) == (Verdict.OK, Picture(None, None, "TIFF", bytes=60_000_000))


def test_a_server_without_ranges() -> None:
    """What was read of a whole answer is all there is: nothing more is asked."""
    answer = Response(
        TARGET.url, 200, {}, image("JPEG", profile=5000)[:FIRST_RANGE_BYTES], complete=False, length=9_000
    )
    found = judged(answer)
    assert (found.verdict, found.detail) == (
        Verdict.OK,
        f"its size is not in its first {FIRST_RANGE_BYTES} bytes",
    )


NO_START = {
    "a range from the middle": part(bytes(5000), 100, start=100),
    "no word on the range": Response(TARGET.url, 206, {}, image()),
    "nonsense": Response(TARGET.url, 206, {"Content-Range": "bytes */*"}, image()),
    "several parts": Response(TARGET.url, 206, {"Content-Type": "multipart/byteranges; boundary=x"}, b"--x"),
    "a range that cannot be": Response(TARGET.url, 416, {"Content-Range": "bytes */0"}),
}


@pytest.mark.parametrize("name", NO_START)
def test_a_part_of_something_else(name: str) -> None:
    """A server that does not understand ranges is asked without; then its word is a fault."""
    again = CHECK.judge(asked(), NO_START[name])
    assert isinstance(again, Request)
    assert "Range" not in again.headers
    assert CHECK.judge(again, NO_START[name]) == Judgement(
        Verdict.BAD_RESPONSE, "answers with a part of the image that was not asked for"
    )


def test_a_server_that_gives_less_than_asked() -> None:
    """Where parts are shorter than asked for, the whole is asked for instead."""
    again = CHECK.judge(asked(), part(image("JPEG", profile=5000), 100))
    assert isinstance(again, Request)
    assert "Range" not in again.headers


def test_a_part_that_is_the_whole() -> None:
    """A partial answer that reaches the end is judged as a whole: a broken header is broken."""
    found = judged(part(image()[:20], FIRST_RANGE_BYTES))
    assert (found.verdict, found.detail) == (Verdict.UNDECODABLE, "PNG that ends before its size")


def test_a_total_that_is_not_said() -> None:
    """A part of a file of unknown length may have more behind it."""
    answer = Response(
        TARGET.url, 206, {"Content-Range": "bytes 0-2047/*"}, image("JPEG", profile=5000)[:FIRST_RANGE_BYTES]
    )
    assert isinstance(CHECK.judge(asked(), answer), Request)


VERDICTS = {
    "a page": (whole(b"<html><body>Not here</body></html>"), Verdict.WRONG_TYPE, "an HTML page"),
    "JSON": (whole(b'{"error": 1}'), Verdict.WRONG_TYPE, "JSON"),
    "nothing": (whole(b""), Verdict.UNDECODABLE, "empty"),
    "a broken header": (whole(image()[:20]), Verdict.UNDECODABLE, "ends before its size"),
    "one pixel": (whole(image(size=Size(1, 1))), Verdict.PLACEHOLDER, "one pixel"),
    "too many pixels": (whole(image(size=Size(1001, 1000))), Verdict.TOO_LARGE, "1001x1000"),
    "too many bytes": (whole(image(), length=10_000_001), Verdict.TOO_LARGE, "10000001 bytes"),
    "a break before the size": (whole(image()[:20], broken="it broke off"), Verdict.TRUNCATED, "broke off"),
    "a break behind the size": (whole(image()[:60], broken="it broke off"), Verdict.TRUNCATED, "broke off"),
    "a break of nothing": (whole(b"", broken="it broke off"), Verdict.TRUNCATED, "broke off"),
    "a page that broke off": (whole(b"<html><bo", broken="it broke off"), Verdict.WRONG_TYPE, "an HTML page"),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_verdicts(name: str) -> None:
    """Each fault has its verdict, and the reason says what it was."""
    answer, verdict, reason = VERDICTS[name]
    found = judged(answer)
    assert found.verdict is verdict
    assert reason in (found.detail or "")


def test_the_bounds_themselves_are_fine() -> None:
    """A picture of exactly the most pixels and bytes is not too large."""
    data = image(size=Size(1000, 1000))
    assert judged(whole(data), ImageCheck(len(data), 1_000_000)).verdict is Verdict.OK


def test_an_svg_without_a_size() -> None:
    """An SVG that says no size is fine."""
    data = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
    answer = replace(whole(data), headers={"Content-Type": "image/svg+xml; charset=utf-8"})
    assert judged(answer) == Judgement(picture=Picture(None, None, "SVG", bytes=len(data)))


def test_the_length_of_a_coded_image() -> None:
    """The length of a coded body is that of the image, not that of what was sent."""
    data = image()
    answer = Response(TARGET.url, 200, {"Content-Encoding": "gzip"}, data, length=20)
    found = judged(answer)
    assert found.picture is not None
    assert found.picture.bytes == len(data)


def test_enough_is_at_least_the_first_step() -> None:
    """Reading goes on while the first bytes come, and ends with the size."""
    data = image("BMP", Size(90, 60))
    enough = SizeReached()
    assert [enough(data[:n]) for n in (1, 100, FIRST_RANGE_BYTES - 1, FIRST_RANGE_BYTES)] == [
        False,
        False,
        False,
        True,
    ]


def test_enough_waits_for_what_is_needed() -> None:
    """Bytes that only fill a profile are not looked at one by one."""
    data = image("JPEG", profile=20_000) + bytes(10_000)
    enough = SizeReached()
    results = [enough(data[:n]) for n in range(FIRST_RANGE_BYTES, len(data), 100)]
    assert (results[:100], results[-1]) == ([False] * 100, True)


def test_enough_gives_up() -> None:
    """A size that lies behind all that an audit reads ends the reading at once."""
    assert SizeReached()(b"II*\0\xff\xff\xff\x7f" + bytes(FIRST_RANGE_BYTES))


def test_enough_begins_again() -> None:
    """Another attempt reads from the start."""
    enough = SizeReached()
    enough(image("JPEG", profile=20_000)[:15_000])
    assert not enough(image("BMP", Size(90, 60))[:100])
    assert enough(image("BMP", Size(90, 60))[:FIRST_RANGE_BYTES])
