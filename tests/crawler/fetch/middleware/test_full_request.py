"""A Range and a condition are savings: what refuses them is asked again without them."""

from __future__ import annotations

import gzip

import pytest

from crawler.errors import BadResponse, ConnectionReset, FetchError, FetchTimeout
from crawler.fetch.base import Request, Response
from crawler.fetch.middleware.full_request import full_request
from storage.model import Kind
from tests.check import check_all, config
from tests.crawler.pictures import picture
from tests.site import Step, Wire, answer, raw, serve

pytestmark = pytest.mark.libraries

URL = "http://site.example/p.jpg"
RANGE = {"Accept": "image/*", "Range": "bytes=0-2047"}
CONDITIONS = {"If-None-Match": '"a"', "If-Modified-Since": "Mon, 01 Jan 2024 00:00:00 GMT"}


class Server:
    """Answers requests with savings by one outcome, and plain ones by 200; keeps what was asked."""

    def __init__(self, outcome: Response | FetchError) -> None:
        self.outcome = outcome
        self.asked: list[bool] = []

    async def __call__(self, request: Request) -> Response:
        """Answer one request."""
        savings = bool({"Range", "If-None-Match", "If-Modified-Since"} & request.headers.keys())
        self.asked.append(savings)
        if not savings:
            return Response(request.url, 200)
        if isinstance(self.outcome, FetchError):
            raise self.outcome
        return self.outcome


@pytest.mark.parametrize("headers", [RANGE, CONDITIONS], ids=["range", "conditions"])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 406, 409, 410, 412, 429, 500, 501, 503, 520])
async def test_a_refusal_is_asked_again_once(status: int, headers: dict[str, str]) -> None:
    """Whatever the refusal is, a plain request decides."""
    server = Server(Response(URL, status))
    assert (await full_request()(server)(Request(URL, headers=headers))).status == 200
    assert server.asked == [True, False]


@pytest.mark.parametrize("status", [200, 206, 301, 304, 416])
async def test_an_answer_is_taken(status: int) -> None:
    """What answers a Range or a condition is for the check to judge."""
    server = Server(Response(URL, status))
    assert (await full_request()(server)(Request(URL, headers=RANGE))).status == status
    assert server.asked == [True]


@pytest.mark.parametrize(
    "fault", [BadResponse("garbage", phase="read"), ConnectionReset("gone", phase="read")]
)
async def test_a_fault_is_asked_again(fault: FetchError) -> None:
    """A server may break off where it should refuse."""
    server = Server(fault)
    assert (await full_request()(server)(Request(URL, headers=RANGE))).status == 200


async def test_later_attempts_are_plain() -> None:
    """After a time-out, or a wait that the server wants, the next attempt of the visit has no savings."""
    for outcome in (FetchTimeout("read", phase="read"), Response(URL, 503, {"Retry-After": "1"})):
        server = Server(outcome)
        request = Request(URL, headers=RANGE)
        fetch = full_request()(server)
        if isinstance(outcome, FetchError):
            with pytest.raises(FetchTimeout):
                await fetch(request)
        else:
            assert (await fetch(request)).status == 503
        assert (await fetch(request)).status == 200
        assert server.asked == [True, False]


def refusing(odd: Step) -> Step:
    """A server that has an odd answer to a Range, and the picture for a plain request."""

    async def step(wire: Wire) -> None:
        await (odd if "range" in wire.asked.headers else answer(200, picture(1, "JPEG")))(wire)

    return step


DATA = picture(1, "JPEG")
ODD: dict[str, Step] = {
    "403": answer(403, b"no ranges"),
    "404": answer(404, b"no ranges"),
    "503": answer(503, b"no ranges"),
    "a part without its place": answer(206, DATA[:100]),
    "parts in an envelope": answer(
        206,
        b"--x\r\n\r\n" + DATA[:100] + b"\r\n--x--",
        **{"Content-Type": "multipart/byteranges; boundary=x"},
    ),
    "a part that is cut": answer(206, DATA[:100], **{"Content-Range": "bytes 0-99/100"}),
    "a part of something else": answer(206, b"<html>no</html>", **{"Content-Range": "bytes 0-14/15"}),
    "garbage": raw(b"no HTTP at all\r\n\r\n"),
    "nothing": raw(b""),
}


@pytest.mark.parametrize("name", ODD)
async def test_an_audit_of_a_server_without_ranges(name: str) -> None:
    """The picture is whole for a plain request: it is fine."""
    async with serve() as site:
        site.add(URL, refusing(ODD[name]))
        found = await check_all(site, {URL: Kind.IMAGE}, config(retry={"attempts": 1}))
    assert found[URL].verdict == "ok"


async def test_a_range_of_what_is_stored_in_a_coding() -> None:
    """A Range cuts the stored bytes, as object stores do: it is a beginning, and no broken whole."""
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="120" height="80">'
    body = gzip.compress(svg + b"".join(b"<g id='a%d'/>" % (n * n) for n in range(9000)) + b"</svg>")

    async def step(wire: Wire) -> None:
        first, last = wire.asked.headers["range"].removeprefix("bytes=").split("-")
        part = body[int(first) : int(last) + 1]
        place = f"bytes {first}-{int(first) + len(part) - 1}/{len(body)}"
        headers = {"Content-Range": place, "Content-Encoding": "gzip", "Content-Type": "image/svg+xml"}
        await answer(206, part, **headers)(wire)

    async with serve() as site:
        site.add(URL, step)
        found = await check_all(site, {URL: Kind.IMAGE}, config())
    image = found[URL].picture
    assert (found[URL].verdict, image and str(image.size)) == ("ok", "120x80")
