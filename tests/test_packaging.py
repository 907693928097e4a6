"""Wheel and sdist: nothing is missing in them, and the program runs from the wheel alone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zipfile import ZipFile

import pytest

from tests.test_docs import commands

pytest.importorskip("build.env", reason="build is missing: install linkhealth[dev]")

ROOT: Final = Path(__file__).parents[1]
PACKAGES: Final = ("crawler", "linkhealth", "storage")
UNRELATED: Final = shutil.ignore_patterns(".[!c]*", "__pycache__", "*.egg-info", "*.db*")
BUILT: Final = {"build", "cache", "dist", "linkhealth-demo"}  # folders that programs leave at the root
HOME: Final = re.escape("https://github.com/linkhealth/linkhealth")
DATA: Final = "linkhealth-{version}.data/data/share/linkhealth/"


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment in which the wheel is installed, and an empty folder to run in."""

    python: Path
    folder: Path

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, with nothing of the checkout in reach."""
        return _run(self.folder, str(self.python.parent / words[0]), *words[1:])


def _run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a program; the settings of this one, and of the shell, are not passed on."""
    private = ("LINKHEALTH_", "PYTHON", "PIP_")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(private)}
    return subprocess.run(
        words, cwd=folder, env=environ, capture_output=True, text=True, timeout=120, check=False
    )


def _skipped(folder: str, names: list[str]) -> set[str]:
    return UNRELATED(folder, names) | (BUILT & set(names) if Path(folder) == ROOT else set())


def _build(tree: Path, target: Path, *kinds: str) -> None:
    words = ("-m", "build", "--no-isolation", *kinds, "--outdir", str(target), str(tree))
    done = _run(tree.parent, sys.executable, *words)
    assert done.returncode == 0, done.stdout + done.stderr


def _install(python: Path, *words: str) -> None:
    pip = (sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index")
    done = _run(python.parent, *pip, *words)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheel and sdist of a copy of the tree: a build in the tree itself takes what older ones left."""
    folder = tmp_path_factory.mktemp("built")
    shutil.copytree(ROOT, folder / "tree", ignore=_skipped)
    _build(folder / "tree", folder / "dist", "--sdist", "--wheel")
    return folder / "dist"


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    """The wheel of the tree."""
    return next(built.glob("*.whl"))


@pytest.fixture(scope="module")
def sdist(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, unpacked."""
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    return next(folder.iterdir())


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the wheel alone; what it depends on is borrowed from the one of the tests."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv" / "bin" / "python"
    _install(python, str(wheel))
    # A line for a folder of packages, written after the wheel, whose own names come first.
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    borrowed = [path for path in sys.path if Path(path).name in {"site-packages", "dist-packages"}]
    (site / "borrowed.pth").write_text("\n".join(borrowed) + "\n", encoding="utf-8")
    (folder / "empty").mkdir()
    return Environment(python, folder / "empty")


def _files(folder: Path) -> Iterator[str]:
    """Every file below a folder of the tree but compiled ones and hidden ones."""
    for path in sorted((ROOT / folder).rglob("*")):
        name = path.relative_to(ROOT)
        if path.is_file() and "__pycache__" not in name.parts and not path.name.startswith("."):
            yield name.as_posix()


def _names(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


def _version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def test_the_wheel_has_every_file_of_the_packages(wheel: Path) -> None:
    """Code, and the data beside it: marks, pages, styles, the certificate of the demo, migrations."""
    expected = {name for package in PACKAGES for name in _files(Path(package))}
    packed = {name for name in _names(wheel) if name.startswith(tuple(f"{package}/" for package in PACKAGES))}

    assert packed == expected
    assert {Path(name).suffix for name in packed} >= {
        ".toml",
        ".html",
        ".css",
        ".js",
        ".svg",
        ".pem",
        ".mako",
    }


def test_the_wheel_has_the_records_of_the_demo(wheel: Path) -> None:
    """The seeds are installed below share/, where the demo looks for them."""
    data = DATA.format(version=_version())
    packed = {name.removeprefix(data) for name in _names(wheel) if name.startswith(data)}

    assert packed == set(_files(Path("seeds")))
    assert packed


def test_the_wheel_has_nothing_of_the_tests(wheel: Path) -> None:
    """Only the two packages, their data, and what describes them."""
    tops = {name.partition("/")[0] for name in _names(wheel)}
    distribution = f"linkhealth-{_version()}"
    assert tops == {*PACKAGES, f"{distribution}.data", f"{distribution}.dist-info"}


def test_the_sdist_has_all_that_a_packager_needs(sdist: Path) -> None:
    """Docs, tests, benchmarks and the files at the root go along: the suite runs from the sdist."""
    folders = ("crawler", "linkhealth", "storage", "seeds", "docs", "tests", "benchmarks")
    files = {name for folder in folders for name in _files(Path(folder))}
    root = {path.name for path in ROOT.glob("*") if path.suffix in {".md", ".toml"}} | {"LICENSE", "Makefile"}
    packed = {path.relative_to(sdist).as_posix() for path in sdist.rglob("*") if path.is_file()}

    assert (files | root) - packed == set()
    assert {"config.toml", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", ".ci/run"} <= packed
    assert [name for name in packed if "__pycache__" in name or name.endswith((".pyc", ".db"))] == []


def test_the_sdist_gives_the_same_wheel(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    """Whoever builds from the sdist gets the files that the tree gives."""
    _build(sdist, tmp_path, "--wheel")
    assert _names(next(tmp_path.glob("*.whl"))) == _names(wheel)


def test_the_metadata_lead_home(wheel: Path) -> None:
    """The index of packages shows where docs, issues and changes are, and which versions are meant."""
    with ZipFile(wheel) as archive:
        text = archive.read(f"linkhealth-{_version()}.dist-info/METADATA").decode()

    urls = set(re.findall(rf"^Project-URL: (\w+), {HOME}", text, re.MULTILINE))
    assert urls == {"Homepage", "Documentation", "Source", "Issues", "Changelog"}
    assert re.search(r"^Author: .+", text, re.MULTILINE)
    oldest = re.search(r"^Requires-Python: >=3\.(\d+)$", text, re.MULTILINE)
    versions = re.findall(r"^Classifier: Programming Language :: Python :: 3\.(\d+)$", text, re.MULTILINE)
    assert oldest is not None
    assert min(map(int, versions)) == int(oldest[1])


def test_what_runs_is_the_wheel(environment: Environment) -> None:
    """The tests below would prove nothing if they ran the checkout."""
    code = "import crawler, storage; print(crawler.__file__, storage.__file__, sep='\\n')"
    done = environment.run("python", "-c", code)

    home = environment.python.parents[1]
    assert [Path(line).is_relative_to(home) for line in done.stdout.splitlines()] == [True, True], done.stderr


def test_the_demo_runs_from_the_wheel(environment: Environment) -> None:
    """With its records, its certificate, its pages and its pictures."""
    done = environment.run("linkhealth", "demo")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "placeholder" in done.stdout
    assert "<style>" in (environment.folder / "linkhealth-demo" / "report.html").read_text(encoding="utf-8")


def test_the_demo_finds_its_records_below_a_prefix(
    environment: Environment, wheel: Path, tmp_path: Path
) -> None:
    """`pip install --user` and `--prefix` put them beside no interpreter."""
    _install(environment.python, "--ignore-installed", "--prefix", str(tmp_path), str(wheel))
    (site,) = tmp_path.glob("lib/python*/site-packages")
    code = f"import sys; sys.path[:0] = [{str(site)!r}]; from crawler import demo; print(demo.find_seeds())"
    done = environment.run("python", "-c", code)

    found = (environment.folder / done.stdout.strip()).resolve()
    assert found == tmp_path.resolve() / "share" / "linkhealth" / "seeds", done.stderr


def test_the_doctor_runs_from_the_wheel(environment: Environment) -> None:
    """It finds what a run needs; whether the machine has a network is the machine's affair."""
    done = environment.run("linkhealth", "doctor")

    assert done.returncode in {0, 1}, done.stderr
    assert "libyaml" in done.stdout
    assert "Traceback" not in done.stderr


def test_every_command_explains_itself_from_the_wheel(environment: Environment) -> None:
    """--help of each command ends with 0 and names the command."""
    names = sorted(name for name, _ in commands())
    with ThreadPoolExecutor(2) as pool:
        helps = list(pool.map(lambda name: environment.run("linkhealth", *name.split(), "--help"), names))
    rows = zip(names, helps, strict=True)
    broken = {name: done.stderr for name, done in rows if done.returncode or name not in done.stdout}
    assert broken == {}
    assert names
