"""Every command of the README does what it says."""

from __future__ import annotations

import re
import shlex
import signal
from pathlib import Path
from typing import Final

import pytest
from aiohttp import ClientSession

from tests.program import ROOT, Ended, ended, records, run, start
from tests.site import answer, page, serve

README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS: Final = re.findall(r"```(?:sh)?\n(.*?)```", README, re.DOTALL)
LINES: Final = [line for block in BLOCKS for line in block.splitlines()]
URL: Final = "http://site.example/dead"


def _commands() -> list[str]:
    """What comes after the name of the program, without remarks."""
    found = [re.search(r"\blinkhealth (.*?)(?: +#.*)?$", line) for line in LINES]
    return [match[1] for match in found if match]


def test_the_readme_shows_commands() -> None:
    """The test below would pass with nothing to run."""
    assert len(_commands()) >= 5


async def served(folder: Path) -> Ended:
    """Open the first page of the dashboard, and end it."""
    process = await start(folder, "serve", "--port", "0")
    assert process.stderr is not None
    line = (await process.stderr.readline()).decode()
    url = re.search(r"http://127\.0\.0\.1:\d+/", line)
    assert url, line
    async with ClientSession() as session, session.get(url[0]) as said:
        assert (said.status, "2 targets" in await said.text()) == (200, True)
    process.send_signal(signal.SIGTERM)
    return await ended(process)


@pytest.mark.parametrize("command", _commands())
async def test_command_of_the_readme(command: str, tmp_path: Path) -> None:
    """Each runs in a folder with records, and ends as a run with one dead link does."""
    words = shlex.split(command.replace("PATH", "seeds").replace("URL", URL))
    async with serve() as site:
        site.add("http://site.example/", page())
        site.add(URL, answer(404))
        records(tmp_path, "http://site.example/", URL)
        config = tmp_path / "config.toml"
        detour = f'[network]\nconnect_to = ["{site.detour}"]'
        config.write_text(config.read_text().replace("[network]", detour))
        if "audit" not in words:
            await run(tmp_path, "audit")
        done = await (served(tmp_path) if words == ["serve"] else run(tmp_path, *words))

    assert done.code in {0, 1}, done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("target", re.findall(r"^make (\w+)", "\n".join(LINES), re.MULTILINE))
def test_target_of_the_readme(target: str) -> None:
    """Each make target is in the Makefile, and told of by `make help`."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:.*## ", makefile, re.MULTILINE)


def test_exit_codes_of_the_readme() -> None:
    """The table has every exit code, each once."""
    rows = re.findall(r"^\| (\d+) \|", README, re.MULTILINE)
    assert rows == ["0", "1", "2", "3", "4", "75", "130"]
