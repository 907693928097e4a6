"""Who may see the dashboard, and what every answer carries."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from crawler.dashboard import DashboardSettings
from crawler.dashboard.access import SECURITY_HEADERS
from tests.crawler.dashboard.serving import served

TOKEN = "a token of enough letters"


@pytest.mark.parametrize(
    "path",
    ["/", "/runs", "/api/runs", "/static/style.css", "/static/live.js", "/nothing", "/runs?page=x", "/login"],
)
async def test_every_answer_is_made_harmless(engine: sa.Engine, path: str) -> None:
    """Pages, data, files and errors have the headers; nothing in a page needs more than the policy allows."""
    async with served(engine) as site:
        answer = await site.get(path)
    assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert "style=" not in answer.text or path.startswith("/static/")
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8080", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:8080", 200),
        ("links.example", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example", 421),
        ("93.184.216.34", 421),
        ("", 421),
        ("[", 421),
    ],
)
async def test_only_our_names_are_answered(engine: sa.Engine, host: str, status: int) -> None:
    """A name that a hostile name server lets lead here is refused, even for a file."""
    async with served(engine, names=("links.example",)) as site:
        for path in ("/", "/api/runs", "/static/style.css"):
            assert (await site.get(path, headers={"Host": host})).status == status


async def test_token_is_wanted_everywhere(engine: sa.Engine) -> None:
    """Without the token there is a form, and nothing of what is stored."""
    async with served(engine, token=TOKEN) as site:
        page, data, events = [await site.get(path) for path in ("/runs", "/api/runs", "/events")]
        style = await site.get("/static/style.css")
    assert (page.status, data.status, events.status, style.status) == (401, 401, 401, 200)
    assert 'name="token"' in page.text
    assert "audit" not in page.text
    assert json.loads(data.text)["title"] == "Unauthorized"


@pytest.mark.parametrize(
    ("given", "status"), [(f"Bearer {TOKEN}", 200), (f"bearer {TOKEN}", 200), ("Bearer x", 401), (TOKEN, 401)]
)
async def test_scripts_send_the_token(engine: sa.Engine, given: str, status: int) -> None:
    """A bearer token opens the API."""
    async with served(engine, token=TOKEN) as site:
        answer = await site.get("/api/runs", headers={"Authorization": given})
    assert answer.status == status


async def test_people_enter_the_token_once(engine: sa.Engine) -> None:
    """The form gives a cookie that scripts of pages cannot read, and leads back."""
    async with served(engine, token=TOKEN) as site:
        form = {"token": TOKEN, "to": "/runs?page=1"}
        answer = await site.ask("POST", "/login", data=form, headers={"Origin": site.url})
        page = await site.get("/runs")
    assert (answer.status, answer.headers["Location"]) == (303, "/runs?page=1")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert TOKEN not in cookie
    assert page.status == 200


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nX: y", ""]
)
async def test_login_leads_nowhere_else(engine: sa.Engine, to: str) -> None:
    """Where the form leads is a path of ours."""
    async with served(engine, token=TOKEN) as site:
        form = {"token": TOKEN, "to": to}
        answer = await site.ask("POST", "/login", data=form, headers={"Origin": site.url})
    assert (answer.status, answer.headers["Location"]) == (303, "/")


async def test_wrong_token_is_told(engine: sa.Engine) -> None:
    """A wrong token gives no cookie; without a token, none is right."""
    for token in (TOKEN, ""):
        async with served(engine, token=token) as site:
            form = {"token": "", "to": "/"}
            answer = await site.ask("POST", "/login", data=form, headers={"Origin": site.url})
        assert answer.status == 401
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "http://[::1"},
        {"Origin": "//\u2100.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {},
    ],
    ids=str,
)
async def test_other_sites_change_nothing(engine: sa.Engine, headers: dict[str, str]) -> None:
    """A request that would change something has to come from our own page."""
    async with served(engine, token=TOKEN) as site:
        answer = await site.ask("POST", "/login", data={"token": TOKEN}, headers=headers)
    assert answer.status == 403
    assert "Set-Cookie" not in answer.headers


async def test_nothing_is_changed_unless_allowed(engine: sa.Engine) -> None:
    """Without `write`, no request changes anything, whoever sends it."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    for write, status in ((False, 403), (True, 405)):
        async with served(engine, token=TOKEN, write=write) as site:
            assert (await site.ask("POST", "/runs", headers=headers)).status == status


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--y\r\nnonsense"),
        ("multipart/form-data; boundary=x", b"--x\r\nno colon\r\n\r\na\r\n--x--"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=token\r\n\r\ncut"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: x; name="a\xff"\r\n\r\nb\r\n--x--',
        ),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: x; name=token\r\nContent-Encoding: nonsense\r\n\r\na\r\n--x--",
        ),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: form-data; name=token\r\nContent-Length: -1\r\n\r\na\r\n--x--",
        ),
        ("application/x-www-form-urlencoded; charset=nonsense", b"token=a"),
        ("application/x-www-form-urlencoded", b"token=\xff\xfe"),
        ("application/x-www-form-urlencoded; charset=utf-16", b"\x00"),
    ],
)
async def test_a_broken_form_is_a_bad_request(engine: sa.Engine, kind: str, body: bytes) -> None:
    """Before any token is known, no form is a defect of the program."""
    async with served(engine, token=TOKEN) as site:
        headers = {"Origin": site.url, "Content-Type": kind}
        answer = await site.ask("POST", "/login", data=body, headers=headers)
    assert answer.status in {400, 401}
    assert "Traceback" not in answer.text


async def test_form_has_an_end(engine: sa.Engine) -> None:
    """A form larger than any of ours is refused."""
    async with served(engine, token=TOKEN) as site:
        form = {"token": "x" * 100_000}
        answer = await site.ask("POST", "/login", data=form, headers={"Origin": site.url})
    assert answer.status == 413


@pytest.mark.parametrize(
    ("house", "said"),
    [
        ({"host": "0.0.0.0"}, "LINKHEALTH_DASHBOARD__TOKEN"),
        ({"host": "links.example"}, "needs a token"),
        ({"token": "short"}, "16 characters"),
        ({"write": True}, "needs a token"),
        ({"host": "0.0.0.0", "token": TOKEN, "write": True}, None),
        ({"host": "::1"}, None),
        ({"host": "127.0.0.2"}, None),
        ({"host": "localhost"}, None),
    ],
    ids=str,
)
def test_unsafe_settings_are_refused(engine: sa.Engine, house: dict[str, Any], said: str | None) -> None:
    """Another address, or changes, want a token of some length."""
    objection = DashboardSettings(engine, **house).objection()
    assert (objection is None) if said is None else (objection is not None and said in objection)
