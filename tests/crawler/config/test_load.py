"""The configuration: every mistake at once, the environment, and the file that is shipped."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.config import Config, HostRules, load, parse_detour, parse_duration
from crawler.config.fields import FieldSetting
from crawler.config.load import SECTION_TYPES
from crawler.config.units import parse_cidr, parse_size
from crawler.errors import ConfigError
from crawler.fetch.transport.connect_to import ConnectTo

pytestmark = pytest.mark.libraries

ROOT: Final = Path(__file__).parents[3]
BROKEN: Final = """
[netwrok]
concurrency = 1
[network]
concurency = 1
robots = "perhaps"
connect_timeout = "10 minutes"
max_body = "64 KiBi"
max_redirects = -1
allow_networks = ["10.0.0.0/99"]
connect_to = ["here"]
proxy = "localhost:3128"
[network.headers."a.example"]
"X Y" = "1"
[network.headers."*"]
authorization = "Bearer secret"
[hosts."*.example.org"]
intervall = 1
per_host = "two"
[hosts]
join = "planet"
[records]
base_url = "/relative"
[records.fields]
"pdf.url" = "document"
[images]
max_bytes = -5
proof = "looks"
[database]
keep = "999999d"
[dashboard]
port = 70000
[report]
fail_on = ["hrad"]
[schedule]
failing = ["1h", "soon"]
"""
SAID: Final = {
    "[netwrok]": "no such section; did you mean 'network'?",
    "[network] concurency": "no such key; did you mean 'concurrency'?",
    "[network] robots": "write true or false",
    "[network] connect_timeout": '\'10 minutes\' is no duration: write seconds, or "30s", "10m", "7d"',
    "[network] max_body": "'64 KiBi' is no size: write bytes, or \"32MiB\"",
    "[network] max_redirects": "write a whole number from 0",
    "[network] allow_networks": "'10.0.0.0/99' is no network",
    "[network] connect_to": "'here' is not HOST1:PORT1:HOST2:PORT2",
    "[network] proxy": "'localhost:3128' cannot be asked",
    '[network.headers."a.example"]': "'X Y' is no name of a header",
    '[network.headers."*"]': "authorization is a secret: write it for one host",
    '[hosts."*.example.org"] intervall': "no such key; did you mean 'interval'?",
    '[hosts."*.example.org"] per_host': "write a whole number",
    "[hosts] join": "write 'domain' or 'host'",
    "[records] base_url": "'/relative' cannot be asked",
    "[records.fields] pdf.url": "'document' is no kind: write web, amp, amp-cdn, image",
    "[images] max_bytes": "-5 is no size",
    "[images] proof": "write 'pixels' or 'structure'",
    "[database] keep": "999999d is too long: a century at most",
    "[dashboard] port": "write a whole number from 0 to 65535",
    "[report] fail_on": "'hrad' is no class, verdict, issue or state; did you mean 'hard'?",
    "[schedule] failing": "'soon' is no duration",
}


def _load(folder: Path, text: str, **environ: str) -> Config:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return load(str(path), environ)


def _mistakes(folder: Path, text: str, **environ: str) -> list[str]:
    """The lines that a bad configuration ends with, less the path of its folder."""
    with pytest.raises(ConfigError) as caught:
        _load(folder, text, **environ)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """Every mistake of a file has one line with the file, the key and what to write instead."""
    lines = _mistakes(tmp_path, BROKEN)
    told = dict(line.removeprefix("mine.toml: ").split(": ", 1) for line in lines)

    assert all(line.startswith("mine.toml: ") for line in lines)
    assert told.keys() == SAID.keys()
    assert {key: said for key, said in SAID.items() if not told[key].startswith(said)} == {}
    assert len(lines) == len(SAID)


def test_mistakes_of_file_and_environment_together(tmp_path: Path) -> None:
    """A mistake in a variable stands beside those of the file, with the name of the variable."""
    lines = _mistakes(
        tmp_path,
        "[network]\nrobots = 1\n",
        LINKHEALTH_NETWORK__ROBOTS="perhaps",
        LINKHEALTH_NETWORK__COLOUR="red",
        LINKHEALTH_NOWHERE__KEY="1",
        LINKHEALTH_RETRY__BACKOFF="later",
    )

    assert [line.partition(": ")[0] for line in lines] == [
        "mine.toml",
        "LINKHEALTH_NETWORK__COLOUR",
        "LINKHEALTH_NETWORK__ROBOTS",
        "LINKHEALTH_NOWHERE__KEY",
        "LINKHEALTH_RETRY__BACKOFF",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[network]\nrobots = true\n[retry\n",
            "mine.toml: not TOML: line 3: the name of a section",
        ),
        ("[network]\nrobots = true\nrobots = false\n", "mine.toml: not TOML: line 3: a key stands twice"),
        (
            "[network]\n\nrobots = yes\n",
            "mine.toml: not TOML: line 3: a value that is no number",
        ),
        (f"[network]\nconnect_to = {'9' * 5000}\n", "mine.toml: not TOML: line 2: a number of more digits"),
    ],
)
def test_broken_toml_names_the_line(tmp_path: Path, text: str, said: str) -> None:
    """A file that is no TOML is told with the line where it stops to be."""
    (line,) = _mistakes(tmp_path, text)

    assert line.startswith(said)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file, a folder and bytes that are no text are told in a sentence each."""
    (tmp_path / "latin.toml").write_bytes(b"[network]\nuser_agent = '\xe9'\n")
    for name, said in (("no.toml", "no such file"), (".", "a folder"), ("latin.toml", "not UTF-8")):
        with pytest.raises(ConfigError, match=said):
            load(str(tmp_path / name), {})


def test_no_file_is_no_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a file there are the defaults; `config.toml` is taken where it lies."""
    monkeypatch.chdir(tmp_path)
    assert load(None, {}) == Config()
    (tmp_path / "config.toml").write_text("\ufeff[retry]\r\nattempts = 7\r\n", encoding="utf-8")
    assert load(None, {}).retry.attempts == 7


def test_the_shipped_file_is_the_defaults() -> None:
    """`config.toml` names every key there is, at its default."""
    text = (ROOT / "config.toml").read_text(encoding="utf-8")
    shipped = {name: set(table) for name, table in tomllib.loads(text).items()}
    known = {
        name: set(msgspec.structs.asdict(getattr(Config(), name))) - {"patterns"} for name in SECTION_TYPES
    }

    assert msgspec.structs.replace(load(str(ROOT / "config.toml"), {}), folder="") == Config()
    assert shipped == known


VARIABLES: Final[list[tuple[str, str, Any]]] = [
    ("NETWORK__CONCURRENCY", "7", 7),
    ("NETWORK__ROBOTS", "true", True),
    ("NETWORK__CONNECT_TIMEOUT", "90", 90.0),
    ("NETWORK__CONNECT_TIMEOUT", "1h30m", 5400.0),
    ("NETWORK__MAX_BODY", "1MiB", 1_048_576),
    ("NETWORK__ALLOW_NETWORKS", "10.0.0.0/8, fd00::/8", ("10.0.0.0/8", "fd00::/8")),
    ("NETWORK__HEADERS", '{"a.example" = {X = "1"}}', {"a.example": {"X": "1"}}),
    ("RECORDS__PATHS", "a,b", ("a", "b")),
    ("RECORDS__BASE_URL", "", ""),
    ("RECORDS__FIELDS", '{"pdf.url" = "web"}', {"pdf.url": FieldSetting(kind="web")}),
    ("DATABASE__URL", "sqlite:///other.db", "sqlite:///other.db"),
    ("SCHEDULE__SPLAY", "0", 0.0),
    ("SCHEDULE__FAILING", "1h,1d", (3600.0, 86_400.0)),
    ("NETWORK__USER_AGENT", "7", "7"),
    ("HOSTS__JOIN", "host", "host"),
]


@pytest.mark.parametrize(("name", "text", "value"), VARIABLES)
def test_variables_override_the_file(tmp_path: Path, name: str, text: str, value: object) -> None:
    """LINKHEALTH_SECTION__KEY says what the key is, whatever the file says; other keys stay."""
    section, _, key = name.lower().partition("__")
    file = "[retry]\nattempts = 9\n[network]\nmax_redirects = 4\nrobots = false\n"
    config = _load(tmp_path, file, **{f"LINKHEALTH_{name}": text, "LINKHEALTH_LOOP": "asyncio", "HOME": "/"})

    assert getattr(getattr(config, section), key) == value
    assert (config.retry.attempts, config.network.max_redirects) == (9, 4)


def test_rules_of_host_patterns(tmp_path: Path) -> None:
    """What is said of a pattern stands beside what is said of all hosts, and has units as well."""
    rules = '[hosts."*.example.org"]\ninterval = "500ms"\nper_host = 1\n[hosts]\nbreaker = 9\n'
    hosts = _load(tmp_path, rules).hosts

    assert hosts.breaker == 9
    assert hosts.patterns == {"*.example.org": HostRules(interval=parse_duration(0.5), per_host=1)}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (0, 0),
        (0.5, 0.5),
        ("0", 0),
        ("2.5", 2.5),
        ("250ms", 0.25),
        ("30s", 30),
        ("10m", 600),
        ("2h", 7200),
        ("1h30m", 5400),
        ("1.5h", 5400),
        (" 7D ", 604_800),
        ("2w", 1_209_600),
        ("36500d", 3_153_600_000),
    ],
)
def test_durations(text: object, seconds: float) -> None:
    """A number is seconds; a text has units, in any case, and may join them."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "s",
        "-1",
        -1,
        "1 h",
        "1y",
        "1h30",
        "h1",
        "1e3",
        "inf",
        "nan",
        float("inf"),
        float("nan"),
        True,
        None,
        "36501d",
        10**400,
        "9" * 400,
        "9" * 400 + "d",
        [],
    ],
)
def test_what_is_no_duration(text: object) -> None:
    """Anything else is refused, what no date can hold too, in a sentence of bearable length."""
    with pytest.raises(ValueError, match=r"is no duration|is too long"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (0, 0),
        (1024, 1024),
        ("1024", 1024),
        ("10b", 10),
        ("1kB", 1000),
        ("1KiB", 1024),
        ("1.5 MiB", 1_572_864),
        ("2mb", 2_000_000),
        ("10GiB", 10_737_418_240),
        ("1TiB", 1_099_511_627_776),
        (" 7 ", 7),
    ],
)
def test_sizes(text: object, size: int) -> None:
    """A number is bytes; a text has decimal or binary units, in any case."""
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "-1", -1, 1.5, "MiB", "1 XiB", "1e3", "inf", True, None, 2**63, "9" * 400]
)
def test_what_is_no_size(text: object) -> None:
    """Anything else is refused, what nothing can count too."""
    with pytest.raises(ValueError, match=r"is no size|is too large"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "detour"),
    [
        ("a.example:443:127.0.0.1:8080", ConnectTo("a.example", 443, "127.0.0.1", 8080)),
        ("::127.0.0.1:8080", ConnectTo(None, None, "127.0.0.1", 8080)),
        ("A.example::b.example:", ConnectTo("a.example", None, "b.example", None)),
        ("[::1]:80:[fd00::2]:81", ConnectTo("::1", 80, "fd00::2", 81)),
    ],
)
def test_detours(text: str, detour: ConnectTo) -> None:
    """A detour is written as curl takes it; what is empty means any, or the same."""
    assert parse_detour(text) == detour


@pytest.mark.parametrize(
    "text", ["", "x", ":::x", ":::70000", "a:b:c:d", ":²:a:1", ":" + "9" * 5000 + ":a:1"]
)
def test_what_is_no_detour(text: str) -> None:
    """Ports are numbers that a port can have."""
    with pytest.raises(ValueError, match="is not HOST1:PORT1:HOST2:PORT2"):
        parse_detour(text)


@given(
    st.one_of(st.text(max_size=20), st.integers(), st.floats(), st.none(), st.lists(st.text(), max_size=2))
)
def test_no_value_is_too_odd(value: object) -> None:
    """Whatever stands behind a key, it is taken or refused with a reason."""
    for parse in (parse_duration, parse_size, parse_cidr):
        try:
            parse(value)
        except ValueError as exc:
            said = str(exc)
            assert len(said) < 400
