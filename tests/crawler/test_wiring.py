"""The composition root: the stack is the list that the documentation shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from crawler.engine.context import RunContext
from crawler.fetch.base import Request, Response
from crawler.fetch.transport.address_slots import AddressSlots
from crawler.progress import QuietProgress
from crawler.wiring import STACK, Network, assemble
from tests.check import Kept, config

ROOT = Path(__file__).parents[2]


def names() -> list[str]:
    """The layers of the stack, outermost first."""
    return [layer.__name__.strip("_") for layer in STACK]


def test_the_documentation_shows_the_stack() -> None:
    """docs/how-it-works.md has the same layers in the same order."""
    text = (ROOT / "docs" / "how-it-works.md").read_text()
    block = re.search(r"STACK = \[(.*?)\]", text, re.DOTALL)
    assert block is not None
    assert [word.strip() for word in block[1].split(",") if word.strip()] == names()


def test_each_layer_has_its_module() -> None:
    """A layer is found by its name: in `fetch/middleware`, or where its form of a run lives."""
    folders = [ROOT / "crawler" / folder for folder in ("fetch/middleware", "processes", "cluster")]
    for name in names():
        assert any((folder / f"{name}.py").exists() for folder in folders), name


@pytest.mark.parametrize("robots", [False, True])
async def test_what_is_off_is_left_out(*, robots: bool) -> None:
    """A layer that is not asked for is not in the way of a request."""
    seen: list[str] = []

    async def http(request: Request) -> Response:
        seen.append(request.url)
        return Response(request.url, 404 if request.url.endswith("robots.txt") else 200)

    settings = config(network={"robots": robots})
    run = assemble(RunContext(settings, Kept(), QuietProgress()), Network(http, AddressSlots(8)))
    await run.parts.visitor.fetch(Request("https://a.example/x"))
    assert seen == ["https://a.example/robots.txt"] * robots + ["https://a.example/x"]
