"""What the code uses of other packages although they do not promise it: still there, still as it was.

Each name is a case of its own, so that a library that moved is told by the name that it took away.
`docs/contributing.md` says what each is for; neither it nor the list may miss one that the code uses.
"""

from __future__ import annotations

import inspect
import re
import sys
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path
from pkgutil import resolve_name
from types import MappingProxyType
from typing import Final

import pytest

from tests.private_names import OURS, SourceFile, has

ROOT: Final = Path(__file__).parents[1]
EXTRAS: Final = ("dns", "notify", "parquet", "postgres", "ray", "s3", "similar")
PAGE: Final = ROOT / "docs" / "contributing.md"
ROW: Final = re.compile(r"^\| `(\w+\.[\w.]+)` \|", re.MULTILINE)
# Each name, and the parameters that it has to take; None where it is no function, or any would do.
LEANINGS: Final[Mapping[str, str | None]] = MappingProxyType(
    {
        "PIL.AvifImagePlugin.DEFAULT_MAX_THREADS": None,
        "PIL.Image.OPEN": None,
        "aiohttp.client.ClientSession._retry_connection": None,
        "aiohttp.client_proto.ResponseHandler": "loop",
        "aiohttp.client_proto.ResponseHandler._exception": None,
        "aiohttp.client_proto.ResponseHandler._parser": None,
        "aiohttp.client_proto.ResponseHandler._payload": None,
        "aiohttp.client_proto.ResponseHandler.data_received": "self, data",
        "aiohttp.client_proto.ResponseHandler.feed_data": "self, data, size",
        "aiohttp.client_proto.ResponseHandler.force_close": "self",
        "aiohttp.client_proto.ResponseHandler.read": "self",
        "aiohttp.client_proto.ResponseHandler.set_exception": "self, exc, exc_cause",
        "aiohttp.client_proto.ResponseHandler.set_response_params": None,
        "aiohttp.client_proto.ResponseHandler.start_timeout": "self",
        "aiohttp.client_proto.ResponseHandler.transport": None,
        "aiohttp.client_proto.ResponseHandler.upgraded": None,
        "aiohttp.client_reqrep.ClientRequest": None,
        "aiohttp.client_reqrep.ClientRequest.DEFAULT_HEADERS": None,
        "aiohttp.client_reqrep.ClientRequest.headers": None,
        "aiohttp.client_reqrep.ClientRequest.is_ssl": "self",
        "aiohttp.client_reqrep.ConnectionKey": None,
        "aiohttp.connector.Connection": None,
        "aiohttp.connector.Connection.add_callback": "self, callback",
        "aiohttp.connector.Connection.close": "self",
        "aiohttp.connector.Connection.protocol": None,
        "aiohttp.connector.Connection.release": "self",
        "aiohttp.connector.Connection.transport": None,
        "aiohttp.connector.TCPConnector._conns": None,
        "aiohttp.connector.TCPConnector._create_proxy_connection": "self, req, traces, timeout",
        "aiohttp.connector.TCPConnector._factory": None,
        "aiohttp.connector.TCPConnector._get": "self, key, traces",
        "aiohttp.connector.TCPConnector._loop": None,
        "aiohttp.connector.TCPConnector._release": "self, key, protocol, should_close",
        "aiohttp.connector.TCPConnector._resolve_host": "self, host, port, traces",
        "aiohttp.connector.TCPConnector._start_tls_connection": (
            "self, underlying_transport, req, timeout, client_error"
        ),
        "aiohttp.connector.TCPConnector._wrap_create_connection": (
            "self, args, addr_infos, req, timeout, client_error, kwargs"
        ),
        "aiohttp.connector.TCPConnector.connect": "self, req, traces, timeout",
        "aiohttp.http.HttpResponseParser": None,
        "aiohttp.http.RawResponseMessage": None,
        "aiohttp.http_exceptions.BadHttpMessage": "message, headers",
        "aiohttp.http_exceptions.ContentLengthError": "message, headers",
        "aiohttp.http_exceptions.HttpProcessingError": "code, message, headers",
        "aiohttp.http_exceptions.TransferEncodingError": "message, headers",
        "aiohttp.streams.StreamReader": None,
        "aiohttp.streams.StreamReader.feed_data": "self, data, size",
        "aiohttp.streams.StreamReader.feed_eof": "self",
        "aiohttp.streams.StreamReader.on_eof": "self, callback",
        "aiohttp.streams.StreamReader.set_exception": "self, exc, exc_cause",
        "aiohttp.streams.StreamReader.total_bytes": None,
        "aiohttp.tracing.Trace": None,
        "json.decoder.scanstring": None,
        "ray._private.worker.init._node_ip_address": None,
        "sqlalchemy.sql.compiler.SQLCompiler.positiontup": None,
        "yaml.CSafeLoader.get_event": None,
        "yaml.SafeLoader.get_event": "self",
        "yaml.__with_libyaml__": None,
        "yaml.reader.ReaderError": "name, position, character, encoding, reason",
    }
)


def _resolved(name: str) -> object:
    """What a dotted name means; a module that was imported may be no attribute of its package any more."""
    head, _, tail = name.rpartition(".")
    if not head:
        return import_module(name)
    try:
        return import_module(name)
    except ImportError:
        return getattr(_resolved(head), tail)


@pytest.mark.parametrize("name", LEANINGS)
def test_a_name_that_nobody_promises_is_as_it_was(name: str) -> None:
    """A library that moves it is told by its name; then the code that uses it is to be looked at."""
    pytest.importorskip(name.partition(".")[0], reason=f"{name} is of an extra")
    owner, _, last = name.rpartition(".")
    thing = _resolved(owner)
    assert has(thing, last), f"{owner} has no {last}"
    parameters = LEANINGS[name]
    if parameters is not None:
        assert ", ".join(inspect.signature(getattr(thing, last)).parameters) == parameters


def test_a_name_that_is_not_there_is_told() -> None:
    """The look above can fail: of a class, of its instances, of a function."""
    absent = {
        "aiohttp.connector.TCPConnector": "_resolve_hosts",
        "aiohttp.client.ClientSession": "_retry_connections",
        "pkgutil.resolve_name": "_names",
    }
    assert [owner for owner, name in absent.items() if has(resolve_name(owner), name)] == []


def test_the_docs_and_the_list_agree() -> None:
    """Each name has a row in docs/contributing.md, and each row a name."""
    assert sorted(ROW.findall(PAGE.read_text(encoding="utf-8"))) == sorted(LEANINGS)


@cache
def _sources() -> list[SourceFile]:
    paths = (path for package in OURS for path in sorted((ROOT / package).rglob("*.py")))
    return [SourceFile(path.read_text(encoding="utf-8")) for path in paths]


def test_the_code_uses_no_private_name_that_is_not_listed() -> None:
    """A new one gets a row in docs/contributing.md and a case above, and its package an upper bound."""
    used = {name for source in _sources() for name in source.private()}
    assert used - {name.rpartition(".")[2] for name in LEANINGS} == set()


def test_the_list_names_nothing_that_the_code_has_left() -> None:
    """A row outlives its use only until somebody looks."""
    words = {word for source in _sources() for word in source.words()}
    assert {name for name in LEANINGS if name.rpartition(".")[2] not in words} == set()


@pytest.mark.parametrize(
    "text",
    [
        "def act(session):\n    session._cookies = None",
        "from aiohttp.helpers import noop",
        "from aiohttp import _websocket",
        "import aiohttp\nclass D(aiohttp.TCPConnector):\n    def end(self):\n        self._acquired.clear()",
        "import aiohttp\nclass D(aiohttp.TCPConnector):\n    def _release_acquired(self):\n        pass",
        "def act(ray):\n    ray.init(_temp_dir='/tmp')",
        "def act(session):\n    return getattr(session, '_connector')",
    ],
)
def test_a_new_private_use_is_seen(text: str) -> None:
    """However the code spells it."""
    assert set(SourceFile(text).private()) - {name.rpartition(".")[2] for name in LEANINGS} != set()


def test_packages_with_private_uses_have_an_upper_bound() -> None:
    """The next version that may move a name is not installed until somebody looked."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    tops = {name.partition(".")[0] for name in LEANINGS} - sys.stdlib_module_names
    packages = {"PIL": "pillow", "yaml": "pyyaml"}
    for package in (packages.get(top, top) for top in tops):
        assert re.search(rf'"{package}>=[\w.]+,<[\w.]+"', text), package


def test_every_import_is_declared() -> None:
    """What the code imports stands in pyproject.toml, and does not come along by another's grace."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *(line for name in EXTRAS for line in extras[name])]
    declared = {re.split(r"[^\w-]", line)[0].lower() for line in lines}
    imported = {name for source in _sources() for name in source.packages()}
    owners = packages_distributions()

    undeclared = {name for name in imported if not {*map(str.lower, owners.get(name, [name]))} & declared}
    assert undeclared == set()
    assert "aiohttp" in imported
