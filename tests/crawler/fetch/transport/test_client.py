"""Headers of a request: those of a check, of every host, and of one host."""

from __future__ import annotations

from storage.model import Kind
from tests.behaviours.table import H, pic
from tests.check import check, config
from tests.site import redirect, serve

OTHER = "http://other.example"


async def test_headers_of_every_host_go_everywhere() -> None:
    """Redirects included; those of a host go before them, and both before ours."""
    host = H.partition("//")[2]
    headers = {"*": {"Accept-Language": "de", "accept": "x/y"}, host: {"accept-language": "fr"}}
    async with serve() as site:
        site.add(f"{H}/a", redirect(302, f"{OTHER}/b"))
        site.add(f"{OTHER}/b", pic())
        await check(site, f"{H}/a", Kind.IMAGE, config(network={"headers": headers}))

    assert [request.headers["accept-language"] for request in site.log] == ["fr", "de"]
    assert {request.headers["accept"] for request in site.log} == {"x/y"}
