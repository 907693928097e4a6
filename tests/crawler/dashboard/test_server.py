"""The server lasts: slow, greedy and many clients do not end it; the program starts and ends as told."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests import program
from tests.crawler.dashboard.serving import Served, filled, served

pytestmark = pytest.mark.libraries

TOKEN = "a token of enough letters"


async def _connected(site: Served) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    port = int(site.url.rpartition(":")[2])
    return await asyncio.open_connection("127.0.0.1", port)


async def _rest(reader: asyncio.StreamReader) -> bytes:
    """What comes until the other side closes, or resets, the connection."""
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


async def _asking(writer: asyncio.StreamWriter) -> None:
    """Ask for ever."""
    while True:
        writer.write(b"GET /static/style.css HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100)
        await writer.drain()


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "])
async def test_client_that_hangs_is_let_go(engine: sa.Engine, sent: bytes) -> None:
    """Whoever does not finish the first request is not waited for."""
    async with served(engine, first_timeout=0.1) as site:
        reader, writer = await _connected(site)
        writer.write(sent)
        assert await asyncio.wait_for(_rest(reader), 20) == b""
        writer.close()
        assert (await site.get("/")).status == 200


async def test_connections_have_a_bound(engine: sa.Engine) -> None:
    """One client too many is told so, and there is room again when another goes."""
    async with served(engine, limit=1) as site:
        _, first = await _connected(site)
        reader, second = await _connected(site)
        refused = await asyncio.wait_for(reader.read(), 20)
        head, _, body = refused.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 ")
        assert head.endswith(f"Content-Length: {len(body)}".encode())
        first.close()
        second.close()
        await asyncio.gather(first.wait_closed(), second.wait_closed())
        answers = [(await site.get("/runs")).status for _ in range(5)]
        assert answers[-1] == 200


async def test_client_that_does_not_read_is_let_go(engine: sa.Engine) -> None:
    """A client that asks again and again and reads nothing loses its connection."""
    async with served(engine, unread_timeout=0.2) as site:
        _, writer = await _connected(site)
        assert isinstance(writer.transport, asyncio.Transport)
        writer.transport.pause_reading()
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(_asking(writer), 30)
        assert (await site.get("/")).status == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    ],
    ids=["tls", "path", "header", "length"],
)
async def test_garbage_is_refused(engine: sa.Engine, sent: bytes) -> None:
    """What is no request is answered as such, and the server goes on."""
    async with served(engine) as site:
        reader, writer = await _connected(site)
        writer.write(sent)
        assert (await asyncio.wait_for(reader.read(2000), 20)).startswith(b"HTTP/1.0 400 ")
        writer.close()
        assert (await site.get("/")).status == 200


async def _started(folder: Path, *words: str) -> tuple[asyncio.subprocess.Process, str]:
    """The program, serving, and where."""
    process = await program.start(folder, "serve", "--port", "0", *words)
    assert process.stderr is not None
    line = (await asyncio.wait_for(process.stderr.readline(), 60)).decode()
    found = re.fullmatch(r"the dashboard is at (http://127\.0\.0\.1:\d+/)\n", line)
    assert found, line
    return process, found[1]


def _database(folder: Path) -> None:
    filled(folder).dispose()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
async def test_program_serves_until_it_is_told_to_end(tmp_path: Path, number: int, code: int) -> None:
    """It prints where it is, answers, and ends at once, even with a visitor who watches."""
    _database(tmp_path)
    process, url = await _started(tmp_path)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.strip("/").rpartition(":")[2]))
    writer.write(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await asyncio.wait_for(reader.readline(), 20)) == b"HTTP/1.1 200 OK\r\n"
    process.send_signal(number)
    ended = await program.ended(process)
    writer.close()
    assert (ended.code, ended.out, ended.err) == (code, "", "")


async def test_program_lets_a_run_go_first(tmp_path: Path) -> None:
    """It has a lower priority than who started it, as far as there is one."""
    filled(tmp_path).dispose()
    process, _ = await _started(tmp_path)
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert os.getpriority(os.PRIO_PROCESS, process.pid) == min(19, own + 10)
    process.send_signal(signal.SIGTERM)
    await program.ended(process)


async def test_port_in_use_is_told(tmp_path: Path) -> None:
    """A port that another has ends the program with 2 and what to do."""
    _database(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = await program.run(tmp_path, "serve", "--port", str(port))
    assert ended.code == 2
    assert f"port {port}: " in ended.err
    assert "--port 0" in ended.err


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ('host = "0.0.0.0"', "LINKHEALTH_DASHBOARD__TOKEN"),
        ("write = true", "needs a token"),
        ('token = "short"', "16 characters"),
        (f'host = "203.0.113.1"\ntoken = "{TOKEN}"', "cannot listen on 203.0.113.1"),
        (f'host = "no.such.host.invalid"\ntoken = "{TOKEN}"', "is no address or name"),
    ],
)
async def test_program_refuses_what_is_not_safe(tmp_path: Path, settings: str, said: str) -> None:
    """Settings that would let strangers in end the program with 2."""
    _database(tmp_path)
    (tmp_path / "config.toml").write_text(f"[dashboard]\nport = 0\n{settings}\n")
    ended = await program.run(tmp_path, "serve")
    assert ended.code == 2
    assert said in ended.err


async def test_program_wants_a_database(tmp_path: Path) -> None:
    """Without a database it says what makes one, and makes none."""
    ended = await program.run(tmp_path, "serve")
    assert ended.code == 2
    assert not (tmp_path / "linkhealth.db").exists()
    assert "linkhealth audit" in ended.err
