"""Reading records: formats, rules, positions, and whatever is wrong with a file."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from storage.model import Declared, Document, Kind
from storage.records import DEFAULT_RULES, FieldRule, NoRecords, PathMissing, Rules, files, read
from storage.records.yaml_events import Loader

pytestmark = pytest.mark.libraries

NEWS = """\
title: "One: two"
webUrl: https://news.example/a
ampWebUrl: 'https://news.example/a/amp'
cdnAmpWebUrl: "https://news-example.cdn.ampproject.org/c/s/news.example/a/amp"
images:
  - width: 980
    url: https://img.example/a.png
    height: "700"
    isCached: true
  - url: https://img.example/b.png
related:
  - webUrl: https://other.example/b
    images:
      - {url: https://img.example/c.png, width: 0, height: tall}
  - url: https://third.example/
provider:
  images:
    - url: /assets/logo.png
actions:
  - url: " https://do.example/x "
website:
"""
FOUND = [
    ("webUrl", "https://news.example/a", Kind.WEB, ""),
    ("ampWebUrl", "https://news.example/a/amp", Kind.AMP, ""),
    (
        "cdnAmpWebUrl",
        "https://news-example.cdn.ampproject.org/c/s/news.example/a/amp",
        Kind.AMP_CDN,
        "",
    ),
    ("images[0].url", "https://img.example/a.png", Kind.IMAGE, ""),
    ("images[1].url", "https://img.example/b.png", Kind.IMAGE, ""),
    ("related[0].webUrl", "https://other.example/b", Kind.WEB, "related[0]"),
    ("related[0].images[0].url", "https://img.example/c.png", Kind.IMAGE, "related[0]"),
    ("related[1].url", "https://third.example/", Kind.WEB, "related[1]"),
    ("provider.images[0].url", "/assets/logo.png", Kind.IMAGE, ""),
    ("actions[0].url", "https://do.example/x", Kind.WEB, ""),
]


def write(folder: Path, name: str, content: str | bytes) -> str:
    """Write a file; return its path as a user would give it."""
    path = folder / name
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return str(path)


def document(folder: Path, name: str, content: str | bytes) -> Document:
    """Write a file and read it."""
    return read(write(folder, name, content))


def found(one: Document) -> list[tuple[str, str, Kind, str]]:
    """Every link in short."""
    return [(k.field, k.text, k.kind, k.item) for record in one.records for k in record.links]


def as_json(text: str) -> str:
    """The same record as JSON."""
    return json.dumps(yaml.safe_load(text), indent=1)


FORMS = {
    "a.md": f"---\n{NEWS}---\nbody: https://ignored.example/\n",
    "a.markdown": f"---\n{NEWS}---",
    "a.html": f"---\n{NEWS}...\n<p>webUrl: https://ignored.example/</p>",
    "a.txt": f"---  \n{NEWS}---\n",
    "crlf.md": f"---\n{NEWS}---\nbody\n".replace("\n", "\r\n"),
    "bom.md": f"\ufeff---\n{NEWS}---\n",
    "a.yaml": NEWS,
    "a.yml": f"\ufeff---\n{NEWS}",
    "a.json": as_json(NEWS),
    "a.jsonl": json.dumps(yaml.safe_load(NEWS)),
    "a.ndjson": "\n" + json.dumps(yaml.safe_load(NEWS)) + "\n\n",
    "a.md.gz": f"---\n{NEWS}---\n",
    "a.JSON.gz": as_json(NEWS),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_format_gives_the_same_links(tmp_path: Path, name: str) -> None:
    """A record says the same in each format, with and without BOM, CRLF and gzip."""
    one = document(tmp_path, name, FORMS[name])

    assert one.problems == ()
    assert found(one) == FOUND


@pytest.mark.parametrize("name", [name for name in FORMS if not name.endswith("gz")])
def test_positions_are_where_the_text_is(tmp_path: Path, name: str) -> None:
    """Line and column lead to the first character of the URL."""
    one = document(tmp_path, name, FORMS[name])
    lines = FORMS[name].removeprefix("\ufeff").replace("\r\n", "\n").split("\n")

    for link in one.records[0].links:
        assert lines[link.line - 1][link.column - 1 :].startswith(link.text), link


def test_what_an_image_declares(tmp_path: Path) -> None:
    """Width, height and isCached stand before or after the URL; nonsense is kept as written."""
    links = document(tmp_path, "a.yaml", NEWS).records[0].links
    declared = {link.field: link.declared for link in links if link.kind is Kind.IMAGE}

    assert declared == {
        "images[0].url": Declared(980, 700, cached=True),
        "images[1].url": None,
        "related[0].images[0].url": Declared("0", "tall"),
        "provider.images[0].url": None,
    }


def test_longest_rule_wins(tmp_path: Path) -> None:
    """Of two rules that fit, the one with more keys decides."""
    path = write(tmp_path, "a.yaml", "url: u\nimages:\n- url: i\n  list: [x, [y]]\n")
    kinds = {"url": Kind.WEB, "images.url": Kind.IMAGE, "list": Kind.AMP}
    rules = Rules({name: FieldRule(kind) for name, kind in kinds.items()})

    assert found(read(path, rules)) == [
        ("url", "u", Kind.WEB, ""),
        ("images[0].url", "i", Kind.IMAGE, ""),
        ("images[0].list[0]", "x", Kind.AMP, ""),
        ("images[0].list[1][0]", "y", Kind.AMP, ""),
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.yaml", "- webUrl: a\n- - webUrl: b\n  - webUrl: c\n"),
        ("a.json", '[{"webUrl": "a"}, [{"webUrl": "b"}, {"webUrl": "c"}]]'),
    ],
)
def test_lists_of_records(tmp_path: Path, name: str, content: str) -> None:
    """Each mapping of a list, nested as it likes, is a record with its place in its paths."""
    one = document(tmp_path, name, content)

    assert [record.index for record in one.records] == [0, 1, 2]
    assert [field for field, *_ in found(one)] == ["[0].webUrl", "[1][0].webUrl", "[1][1].webUrl"]


def test_many_documents(tmp_path: Path) -> None:
    """Each document of a stream is a record; an empty one is none."""
    one = document(tmp_path, "a.yaml", "webUrl: a\n---\n---\nwebUrl: b\n")

    assert [(record.index, record.links[0].text) for record in one.records] == [(0, "a"), (1, "b")]


def test_aliases_and_merges_lead_to_links(tmp_path: Path) -> None:
    """What an anchor names is a link wherever an alias repeats it."""
    one = document(
        tmp_path,
        "a.yaml",
        "images: &pics\n  - url: &u https://a.example/i\nrelated:\n  - webUrl: *u\n    images: *pics\n",
    )

    assert [field for field, *_ in found(one)] == [
        "images[0].url",
        "related[0].webUrl",
        "related[0].images[0].url",
    ]


def test_block_scalars_and_tags(tmp_path: Path) -> None:
    """A URL in a block scalar stands on its own line; a tag makes nothing of it."""
    text = "webUrl: >-\n   https://a.example/x\nampUrl: !!python/object:os.system https://b.example\n"
    links = document(tmp_path, "a.yaml", text).records[0].links

    assert [(k.text, k.line, k.column) for k in links] == [
        ("https://a.example/x", 2, 4),
        ("https://b.example", 3, 35),
    ]


def test_a_repeated_key_counts_once(tmp_path: Path) -> None:
    """As in YAML and JSON loaders, the last of two equal keys is the one that counts."""
    for name, text in (
        ("a.yaml", "webUrl: a\nwebUrl: b\nimages: [{url: x}]\nimages: [{url: y}]\n"),
        (
            "a.json",
            '{"webUrl": "a", "webUrl": "b", "images": [{"url": "x"}], "images": [{"url": "y"}]}',
        ),
    ):
        assert sorted(text for _, text, *_ in found(document(tmp_path, name, text))) == ["b", "y"]


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join(f'*{a}' for _ in range(9))}]\n" for a, b in zip("abcdefg", "bcdefgh", strict=True)
)
BAD = [
    ("unquoted.md", "---\ntitle: one: two\nwebUrl: https://a.example\n---\n", 2, "not YAML"),
    ("open.md", "---\nwebUrl: https://a.example\n", 1, "no closing ---"),
    ("list.md", "---\n- webUrl: a\n---\n", 2, "mapping"),
    ("number.yaml", "42\n", 1, "single value"),
    ("number.json", "42", 1, "single value"),
    ("text.jsonl", '"x"\n', 1, "single value"),
    ("mixed.yaml", "- webUrl: a\n- 42\n", 2, "single value"),
    ("binary.md", b"\x89PNG\0\0", None, "binary"),
    ("binary.yaml", b"a: \x00\x01", 1, "not YAML"),
    ("latin.yaml", b"a: b\nwebUrl: https://a.example/\xe9\n", 2, "not UTF-8"),
    ("bomb.yaml", LAUGHS, 5, "aliases repeat"),
    ("alias.yaml", "webUrl: *nobody\n", 1, "stands for nothing"),
    ("deep.yaml", "a: " + "[" * 100_000, 1, "deeper than 100"),
    ("deeplist.yaml", "[" * 100_000, 1, "deeper than 100"),
    ("deep.json", '{"a":' * 5000, 1, "deeper than 100"),
    ("deeplist.json", "[" * 100_000, 1, "deeper than 100"),
    ("cut.json", '{"webUrl": "https://a.example"', 1, "not JSON"),
    ("comma.json", '{"webUrl": "a",}', 1, "not JSON"),
    ("twice.json", '{"webUrl": "a"}\n{"webUrl": "b"}', 2, "something follows"),
    ("string.json", '{"webUrl": "a\nb"}', 1, "not JSON"),
    ("bad.md.gz", b"", None, "cannot"),
]


@pytest.mark.parametrize(("name", "content", "line", "reason"), BAD, ids=[row[0] for row in BAD])
def test_bad_files_give_one_problem(
    tmp_path: Path, name: str, content: str | bytes, line: int | None, reason: str
) -> None:
    """Whatever is wrong with a file, it is one problem with its line and reason, and quick."""
    path = tmp_path / name
    if name == "bad.md.gz":
        path.mkdir()
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    start = time.process_time()
    one = read(str(path))

    assert [(p.path, p.line) for p in one.problems] == [(str(path), line)]
    assert reason in one.problems[0].reason
    assert time.process_time() - start < 2


# What no parser may end at a bound of its own before ours speaks: text, and the line of the mistake.
NESTED = {
    "in one line": ("a: " + "[" * 3000, 1),
    "brackets and braces": ("a: " + "[{" * 1500, 1),
    "a line a level": ("a:\n" + " [\n" * 3000, 101),
    "far down": ("".join(f"{' ' * n}a:\n" for n in range(60)) + " " * 61 + "[" * 3000, 61),
    "lists on one line": ("- " * 3000, 1),
}
# Mistakes that parsers of YAML tell in their own words, and ours.
MISTAKES = {
    "title: one: two": "a colon and a space inside a value: put the value in quotes",
    'title: "one': "a quote is never closed",
    "title: [one, two": "a bracket is never closed, or a comma is missing",
    "title: @one": "a tab, or a sign that begins no value: put the value in quotes",
    "title:\n\tone: two": "a tab, or a sign that begins no value: put the value in quotes",
    'title: "\\q"': "a backslash in double quotes: write two, or single quotes",
    "a: 1\nb\nc: 2": "a key without a colon",
    "title: \x01": "a control character",
}


@pytest.mark.parametrize("loader", [Loader, yaml.SafeLoader], ids=["libyaml", "python"])
def test_our_words_whichever_parser_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loader: object
) -> None:
    """Parsers of YAML word a mistake differently; a reader reads one sentence of ours."""
    monkeypatch.setattr("storage.records.yaml.Loader", loader)
    for text, line in NESTED.values():
        problems = document(tmp_path, "a.yaml", text).problems
        assert [(one.line, one.reason) for one in problems] == [(line, "nested deeper than 100 levels")]
    for text, words in MISTAKES.items():
        reasons = [one.reason for one in document(tmp_path, "a.yaml", text).problems]
        assert [reason.partition(" (")[0] for reason in reasons] == [f"not YAML: {words}"]


def test_brackets_in_quotes_nest_nothing(tmp_path: Path) -> None:
    """Text in quotes may hold any number of brackets; the mistake behind it is told as what it is."""
    one = document(tmp_path, "a.yaml", f"title: '{'[' * 200}'\nb: c: d")
    assert [(p.line, p.reason.partition(" (")[0]) for p in one.problems] == [
        (2, "not YAML: a colon and a space inside a value: put the value in quotes")
    ]


def test_gzip_of_several_members_is_read_whole(tmp_path: Path) -> None:
    """What was appended to a gzip file as another member is part of it; one that breaks off is told."""
    parts = [gzip.compress(f'{{"webUrl": "{name}"}}\n'.encode()) for name in "abc"]
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(b"".join(parts))
    whole = read(str(path))
    path.write_bytes(b"".join(parts)[:-5])
    cut = read(str(path))

    assert [record.links[0].text for record in whole.records] == ["a", "b", "c"]
    assert (whole.problems, cut.records) == ((), ())
    assert [problem.reason for problem in cut.problems] == ["its gzip breaks off"]


def test_a_bad_json_line_loses_nothing_else(tmp_path: Path) -> None:
    """The other lines of JSON lines go on, with their own numbers."""
    one = document(tmp_path, "a.jsonl", '{"webUrl": "a"}\n{"webUrl"\n\n{"webUrl": "b"}\n')

    assert [(r.index, r.links[0].text, r.links[0].line) for r in one.records] == [
        (0, "a", 1),
        (1, "b", 4),
    ]
    assert [problem.line for problem in one.problems] == [2]


def test_records_before_a_mistake_are_kept(tmp_path: Path) -> None:
    """A document that ended well before the mistake is not lost."""
    one = document(tmp_path, "a.yaml", "webUrl: a\n---\nwebUrl: b: c\n")

    assert [record.links[0].text for record in one.records] == ["a"]
    assert [problem.line for problem in one.problems] == [3]


def test_enormous_files_are_refused_quickly(tmp_path: Path) -> None:
    """A line of 5 MB, a file of 40 MB and a gzip bomb are refused with a reason."""
    line = document(tmp_path, "line.yaml", b"a: b\nc: " + b"x" * 5_000_000)
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(100_000_000)
    bomb = document(tmp_path, "bomb.yaml.gz", b"a" * 40_000_000)

    assert [(p.line, "line of" in p.reason) for p in line.problems] == [(2, True)]
    assert "larger than 32 MiB" in read(str(large)).problems[0].reason
    assert "opens to more than 32 MiB" in bomb.problems[0].reason


def test_no_front_matter_is_no_record(tmp_path: Path) -> None:
    """A page without front matter holds no record, and that is no problem."""
    one = document(tmp_path, "README.md", "# Hello\nwebUrl: https://a.example\n")

    assert (one.records, one.problems) == ((), ())


def test_a_walk_is_sorted_and_skips_what_is_hidden(tmp_path: Path) -> None:
    """Directories are walked in sorted order; hidden, excluded and other files are left out."""
    for name in ("b.md", "a.md", "sub/c.yaml", ".git/x.md", "sub/.y.md", "z.png", "drafts/d.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write(tmp_path, name, "")
    walked = files([str(tmp_path)], exclude=["*/drafts/*"])

    assert [Path(path).relative_to(tmp_path).as_posix() for path in walked] == [
        "a.md",
        "b.md",
        "sub/c.yaml",
    ]


def test_missing_paths_and_empty_folders_are_told(tmp_path: Path) -> None:
    """A path that does not exist, and a folder without records, end with one sentence."""
    with pytest.raises(PathMissing, match=r"nowhere does not exist"):
        list(files([str(tmp_path / "nowhere")]))
    with pytest.raises(NoRecords, match="holds no records"):
        list(files([str(tmp_path)]))


def test_a_named_file_of_another_kind_is_a_problem(tmp_path: Path) -> None:
    """A file that the user names is read, or told why not."""
    path = write(tmp_path, "a.docx", "x")

    assert list(files([path])) == [path]
    assert "no record by its name" in read(path).problems[0].reason


def naive(node: Any, names: tuple[str, ...] = ()) -> list[str]:
    """Every URL of a loaded record by the default rules, the slow and simple way."""
    if isinstance(node, dict):
        return [url for key, value in node.items() for url in naive(value, (*names, str(key)))]
    if isinstance(node, list):
        return [url for value in node for url in naive(value, names)]
    dotted = f".{'.'.join(names)}"
    wanted = any(dotted.endswith(f".{rule}") for rule in DEFAULT_RULES.fields)
    return [str(node).strip()] if wanted and node is not None and str(node).strip() else []


def test_the_corpus_is_read_whole(corpus: Path) -> None:
    """All real records are read: what a YAML loader finds, at the place where it stands."""
    documents = [read(path) for path in files([str(corpus / "records")])]
    malformed = 0
    for one in documents:
        text = Path(one.path).read_text("utf-8-sig")
        front = text.split("\n---", 1)[0].removeprefix("---\n")
        try:
            loaded = yaml.load(front, yaml.CSafeLoader)
        except yaml.YAMLError:
            malformed += 1
            assert len(one.problems) == 1, one.path
            assert one.problems[0].line
            continue
        assert one.problems == (), one.path
        links = [link for record in one.records for link in record.links]
        assert sorted(link.text for link in links) == sorted(naive(loaded)), one.path
        lines = text.split("\n")
        for link in links:
            rest = "\n".join(lines[link.line - 1 : link.line + 3])[link.column - 1 :]
            assert " ".join(rest.split()).startswith(" ".join(link.text.split())[:60]), link
    assert (len(documents), malformed) == (2088, 13)
