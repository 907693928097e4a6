"""The formats for other programs: what they say of a small database, letter by letter."""

from __future__ import annotations

import csv
import json
import re
from io import StringIO
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import pytest
import sqlalchemy as sa

from crawler.report.descriptions import ISSUE_MEANS, VERDICT_MEANS
from crawler.report.formats.markdown import MAX_COMMENT_BYTES, code
from storage import pins
from storage.model import Issue, Kind, Link, Pin, PinWord, Verdict
from tests.crawler.report.build import GONE, OLD, told
from tests.program import records, run
from tests.site import answer, page, serve
from tests.storage.build import NOW, catalogued, document, finding, ids, link, write

pytestmark = pytest.mark.libraries

ROOT: Final = Path(__file__).parents[4]
CSV: Final = """\
url,asked,not_asked,verdict,class,state,severity,status,final_url,moved_to,detail,failing_since,checked_at,next_due,\
kind,record,line,column,field,text,declared_width,declared_height,width,height,issues
https://a.example/gone,true,,not-found,hard,suspect,medium,404,,,,\
2026-11-23T04:00:00Z,2026-11-23T04:00:00Z,2026-11-24T04:00:00Z,\
web,seeds/a.md,5,10,related[0].url,https://a.example/gone,,,,,
https://a.example/gone,true,,not-found,hard,suspect,medium,404,,,,\
2026-11-23T04:00:00Z,2026-11-23T04:00:00Z,2026-11-24T04:00:00Z,\
web,seeds/b c.md,2,9,webUrl,https://a.example/gone,,,,,
https://b.example/amp,true,,timeout,transient,suspect,low,,,,read: 1 | 2,\
2026-11-23T04:00:00Z,2026-11-23T04:00:00Z,2026-11-24T04:00:00Z,\
amp,seeds/a.md,6,16,related[0].ampWebUrl,https://b.example/amp,,,,,
http://a.example/old,true,,moved,alive,alive,none,200,,https://a.example/new,,\
,2026-11-23T04:00:00Z,2026-11-30T04:00:00Z,\
web,seeds/a.md,2,9,webUrl,http://a.example/old,,,,,
https://i.example/p.png,true,,ok,alive,alive,medium,200,,,,\
,2026-11-23T04:00:00Z,2026-11-30T04:00:00Z,\
image,seeds/a.md,8,14,related[0].images[0].url,https://i.example/p.png,100,100,980,700,\
"size-mismatch: declared 100x100, is 980x700"
"""
JUNIT: Final = """\
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="linkhealth" tests="5" failures="3" errors="1">
<testsuite name="records" tests="1" failures="0" errors="1" skipped="0">
<testcase classname="linkhealth.record" name="seeds/b c.md" file="seeds/b c.md" line="1">\
<error type="record-problem" message="no &lt;end&gt;"/></testcase>
</testsuite>
<testsuite name="targets" tests="4" failures="3" errors="0" skipped="0" timestamp="2026-11-23T04:00:00Z">
<testcase classname="linkhealth.web" name="https://a.example/gone" file="seeds/a.md" line="5" time="0.250">\
<failure type="not-found" message="not-found (404)">state suspect
seeds/a.md:5:10 related[0].url
seeds/b c.md:2:9 webUrl</failure></testcase>
<testcase classname="linkhealth.amp" name="https://b.example/amp" file="seeds/a.md" line="6" time="0.250">\
<failure type="timeout" message="timeout: read: 1 | 2">state suspect
seeds/a.md:6:16 related[0].ampWebUrl</failure></testcase>
<testcase classname="linkhealth.web" name="http://a.example/old" file="seeds/a.md" line="2" time="0.250"/>
<testcase classname="linkhealth.image" name="https://i.example/p.png" file="seeds/a.md" line="8" \
time="0.250"><failure type="size-mismatch" message="size-mismatch">state alive
seeds/a.md:8:14 related[0].images[0].url
  size-mismatch: declared 100x100, is 980x700</failure></testcase>
</testsuite>
</testsuites>
"""
GITHUB: Final = """\
::error file=seeds/b c.md,line=1,title=record problem::no <end>
::warning file=seeds/a.md,line=5,col=10,title=not-found%2C medium::\
https://a.example/gone is not-found (404), suspect
::warning file=seeds/b c.md,line=2,col=9,title=not-found%2C medium::\
https://a.example/gone is not-found (404), suspect
::warning file=seeds/a.md,line=8,col=14,title=size-mismatch%2C medium::\
https://i.example/p.png: size-mismatch: declared 100x100, is 980x700
::notice file=seeds/a.md,line=6,col=16,title=timeout%2C low::\
https://b.example/amp is timeout, suspect: read: 1 | 2
::notice title=linkhealth::Run 1: 4 targets, 5 links, 1 record problem.
"""
MARKDOWN: Final = r"""## Link health

Run 1 of 2026-11-23T04:00:00Z: 4 targets, 5 links.

| class | targets |
|---|---:|
| hard | 1 |
| transient | 1 |
| alive | 2 |
| link issues | 1 |

1 record problem:

- `seeds/b c.md:1` `no <end>`

| severity | what | link | where |
|---|---|---|---|
| medium | not-found (404), suspect | `https://a.example/gone` | `seeds/a.md:5:10` |
| medium | not-found (404), suspect | `https://a.example/gone` | `seeds/b c.md:2:9` |
| medium | size-mismatch: declared `100x100`, is `980x700` | `https://i.example/p.png` | `seeds/a.md:8:14` |
| low | timeout, suspect: `read: 1 \u007c 2` | `https://b.example/amp` | `seeds/a.md:6:16` |
"""
SAMPLES: Final = """\
linkhealth_targets{class="alive",verdict="ok"} 1
linkhealth_targets{class="alive",verdict="moved"} 1
linkhealth_targets{class="hard",verdict="not-found"} 1
linkhealth_targets{class="transient",verdict="timeout"} 1
linkhealth_target_states{state="alive"} 2
linkhealth_target_states{state="suspect"} 2
linkhealth_target_kinds{kind="web"} 2
linkhealth_target_kinds{kind="amp"} 1
linkhealth_target_kinds{kind="image"} 1
linkhealth_target_severities{severity="none"} 1
linkhealth_target_severities{severity="low"} 1
linkhealth_target_severities{severity="medium"} 2
linkhealth_links 5
linkhealth_link_issues{issue="size-mismatch"} 1
linkhealth_record_problems 1
linkhealth_run_number{command="audit"} 1
linkhealth_run_start_timestamp_seconds 1795406400
linkhealth_run_end_timestamp_seconds{ended="finished"} 1795406490
linkhealth_run_duration_seconds 90
"""


@pytest.mark.parametrize(
    ("format_", "expected"), [("csv", CSV), ("junit", JUNIT), ("markdown", MARKDOWN), ("github", GITHUB)]
)
def test_format_says(engine: sa.Engine, format_: str, expected: str) -> None:
    """A format says of the small database just this."""
    assert told(engine, format_) == expected


def test_github_obeys_nothing_of_a_record(engine: sa.Engine) -> None:
    """No path, URL or reason begins a command, ends a line, or says another property."""
    path = "a,title=x::b\r\n::error::c%0A.md"
    write(
        engine,
        catalogued(
            engine,
            document(path, [link("http://b.example/\n::stop-commands::x")], problems=["\n::set-output"]),
        ),
    )
    lines = told(engine, "github").splitlines()

    assert all(re.fullmatch(r"::(error|warning|notice) [^:]*::[^\n]*", line) for line in lines)
    assert any("file=a%2Ctitle=x%3A%3Ab" in line for line in lines)


def test_prometheus_says(engine: sa.Engine) -> None:
    """Every word has a line, those of nothing a 0, each family its type before its samples."""
    text = told(engine, "prometheus")
    lines = text.splitlines(keepends=True)
    samples = [one for one in lines if not one.startswith("#") and not one.endswith(" 0\n")]

    assert "".join(samples) == SAMPLES
    assert text.count("linkhealth_targets{") == len(Verdict)
    assert text.count("linkhealth_link_issues{") == len(Issue)
    families: list[str] = []
    for one in lines:
        if one.startswith("# HELP "):
            families.append(one.split()[2])
        name = re.split("[{ ]", one)[0] if one[0] != "#" else one.split()[2]
        assert name == families[-1]
        assert re.fullmatch(r'# (HELP|TYPE) .+|\w+(\{(\w+="[\w-]*",?)+\})? [0-9.]+', one.rstrip("\n"))
    assert len(families) == len(set(families))


def _sarif(engine: sa.Engine) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(told(engine, "sarif"))
    return whole


def test_sarif_says(engine: sa.Engine) -> None:
    """Each result names its rule, its level and the place of its link."""
    (made,) = _sarif(engine)["runs"]
    found = [
        (
            one["ruleId"],
            one["level"],
            one["message"]["text"],
            one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            one["locations"][0]["physicalLocation"]["region"],
        )
        for one in made["results"]
    ]

    gone = "https://a.example/gone is not-found (404). Failing since 2026-11-23T04:00:00Z."
    slow = "https://b.example/amp is timeout: read: 1 | 2. Failing since 2026-11-23T04:00:00Z."
    size = "size-mismatch of https://i.example/p.png: expected 100x100, found 980x700."
    assert found == [
        ("record-problem", "error", "no <end>.", "seeds/b%20c.md", {"startLine": 1}),
        ("not-found", "warning", gone, "seeds/a.md", {"startLine": 5, "startColumn": 10}),
        ("not-found", "warning", gone, "seeds/b%20c.md", {"startLine": 2, "startColumn": 9}),
        ("timeout", "note", slow, "seeds/a.md", {"startLine": 6, "startColumn": 16}),
        ("size-mismatch", "warning", size, "seeds/a.md", {"startLine": 8, "startColumn": 14}),
    ]
    assert made["invocations"][0]["endTimeUtc"] == "2026-11-23T04:01:30Z"


def _check(value: Any, shape: Any, where: str = "") -> None:
    """Hold a value against a shape of the schema: no key but these, the starred ones there."""
    if isinstance(shape, dict):
        known = {key.rstrip("*"): inner for key, inner in shape.items()}
        assert isinstance(value, dict), where
        assert set(value) <= set(known), where
        assert {key.rstrip("*") for key in shape if key.endswith("*")} <= set(value), where
        for key, inner in value.items():
            _check(inner, known[key], f"{where}.{key}")
    elif isinstance(shape, list):
        assert isinstance(value, list), where
        for number, one in enumerate(value):
            _check(one, shape[0], f"{where}[{number}]")
    elif isinstance(shape, str):
        assert isinstance(value, str), where
        assert re.fullmatch(shape, value), (where, value)
    elif shape is not None:
        assert type(value) is shape, where


ANY: Final = r"(?s).+"
TIME: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
URI: Final = r"(%[0-9A-F]{2}|[A-Za-z0-9/._~!$&'()*+,;=@:-])+"
LEVEL: Final = "none|note|warning|error"
LOCATION: Final = {
    "physicalLocation": {
        "artifactLocation": {"uri": URI, "uriBaseId": ANY},
        "region": {"startLine*": int, "startColumn": int},
    },
    "logicalLocations": [{"fullyQualifiedName": ANY, "kind": ANY}],
}
RESULT: Final = {
    "ruleId*": r"[a-z0-9-]+",
    "ruleIndex*": int,
    "level": LEVEL,
    "message*": {"text*": ANY},
    "locations": [LOCATION],
    "partialFingerprints": {"linkhealth/v1": "[0-9a-f]{64}"},
    "properties": None,
}
RULE: Final = {
    "id*": r"[a-z0-9-]+",
    "shortDescription": {"text*": ANY},
    "fullDescription": {"text*": ANY},
    "help": {"text*": ANY, "markdown": ANY},
    "defaultConfiguration": {"level": LEVEL},
}
INVOCATION: Final = {
    "executionSuccessful*": bool,
    "startTimeUtc": TIME,
    "endTimeUtc": TIME,
    "properties": None,
}
LOG: Final = {
    "$schema": r"https://docs\.oasis-open\.org/sarif/.*/sarif-schema-2\.1\.0\.json",
    "version*": r"2\.1\.0",
    "runs*": [
        {
            "tool*": {"driver*": {"name*": ANY, "version": ANY, "rules": [RULE]}},
            "columnKind": "unicodeCodePoints|utf16CodeUnits",
            "invocations": [INVOCATION],
            "results": [RESULT],
        }
    ],
}


def test_sarif_has_the_structure_of_its_schema(engine: sa.Engine) -> None:
    """Keys, types and words are those of the schema of SARIF 2.1.0; rules are found by their index."""
    hostile = "a/%41 [x](http://evil.example/) {0}\u202e\x1b.md"
    write(engine, catalogued(engine, document(hostile, [link("http://b.example/]({1}")], problems=[""])))
    whole = _sarif(engine)

    _check(whole, LOG)
    (made,) = whole["runs"]
    rules = [rule["id"] for rule in made["tool"]["driver"]["rules"]]
    assert len(rules) == len(set(rules)) == len(Verdict) + len(Issue) + 1
    for result in made["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert "](" not in result["message"]["text"]
        assert "{" not in result["message"]["text"].replace("{{", "")


def test_sarif_of_nothing(empty: sa.Engine) -> None:
    """Before the first run there is a log with no invocation and no result."""
    whole = _sarif(empty)

    _check(whole, LOG)
    assert "invocations" not in whole["runs"][0]
    assert whole["runs"][0]["results"] == []


def test_meanings_are_those_of_the_docs() -> None:
    """The sentences of the rules are the sentences of docs/verdicts.md."""
    text = (ROOT / "docs" / "verdicts.md").read_text(encoding="utf-8")
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    for name, sentence in [*VERDICT_MEANS.items(), *ISSUE_MEANS.items()]:
        rows = re.findall(rf"^\|.*`{name}` \| (.+) \|$", plain, re.MULTILINE)
        assert sentence in [row.replace("`", "") for row in rows]
    assert (set(VERDICT_MEANS), set(ISSUE_MEANS)) == (set(Verdict), set(Issue))


@pytest.mark.parametrize("first", [*"=+-@", "\uff1d", " =", "\u00a0+"])
def test_csv_holds_no_formula(empty: sa.Engine, first: str) -> None:
    """No cell begins with what a spreadsheet takes for a formula, whatever a record says."""
    text = f'{first}HYPERLINK("http://evil.example","x")\n=1'
    catalogued(empty, document(f"{first}a.md", [Link(first, 1, 1, text, Kind.WEB)]))
    (_, row) = csv.reader(StringIO(told(empty, "csv")))

    assert not any(cell.strip().startswith(("=", "+", "-", "@", "\uff1d")) for cell in row)
    assert any(cell.startswith(f"'{first}HYPERLINK") for cell in row)


def test_csv_has_a_row_for_a_target_without_links(engine: sa.Engine) -> None:
    """A target that no record names any more keeps its row in the report of its run."""
    pins.put(engine, Pin(OLD, PinWord.IGNORE, "-1", "ann", NOW))
    rows = list(csv.DictReader(StringIO(told(engine, "csv"))))

    assert {row["severity"] for row in rows if row["url"] == OLD} == {"none"}
    assert {row["detail"] for row in rows if row["url"] == OLD} == {"pinned ignore by ann: -1"}
    assert all(len(row) == 25 for row in rows)


def test_junit_is_xml_whatever_a_record_says(empty: sa.Engine) -> None:
    """Control characters, half letters, noncharacters and markup come out as text."""
    text = "http://x.example/\x01\x08\ufffe\uffff]]>&<\"'\u2028"
    made = catalogued(empty, document("\ufffe<a>.md", [link(text)], problems=["\x1b]]>"]))
    write(empty, made, finding(ids(empty)[text], Verdict.GONE))
    root = ET.fromstring(told(empty, "junit"))
    (case,) = root.findall("testsuite[@name='targets']/testcase")

    assert case.get("name") == r"http://x.example/\u0001\u0008\ufffe\uffff]]>&<" + "\"'" + r"\u2028"
    assert case.get("file") == r"\ufffe<a>.md"
    assert root.get("failures") == "1"


def test_junit_believes_people(engine: sa.Engine) -> None:
    """What a person calls alive passes; what is to be ignored is skipped; what is unknown, too."""
    pins.put(engine, Pin(GONE, PinWord.ALIVE, "seen", "ann", NOW))
    pins.put(engine, Pin(OLD, PinWord.IGNORE, "mine", "ann", NOW))
    suite = ET.fromstring(told(engine, "junit")).find("testsuite[@name='targets']")

    assert suite is not None
    outcome = {case.get("name"): [one.tag for one in case] for case in suite}
    assert outcome[GONE] == []
    assert outcome[OLD] == ["skipped"]
    assert (suite.get("failures"), suite.get("skipped")) == ("2", "1")


@pytest.mark.parametrize(
    "text",
    ["a|b", r"a\|b", r"a\\|b", "`", "``x` `", "<script>", "@ann #1 [x](y)", " ", "", "\n\n# x"],
)
def test_markdown_code_cannot_be_left(text: str) -> None:
    """A code span has one letter that ends it, and none that ends its cell."""
    said = code(text)

    assert said == "-" or (said[0], said[-1], said.count("`")) == ("`", "`", 2)
    assert not {"|", "\n", "\r"} & set(said)


def test_markdown_is_bounded(empty: sa.Engine) -> None:
    """However much is wrong, the comment has at most 60,000 bytes, the worst first, the rest counted."""
    urls = [f"http://{number}.example/{'ä' * 2_000}" for number in range(300)]
    made = catalogued(empty, document("a" * 900, [link(url) for url in urls], problems=["p" * 400] * 30))
    keys = ids(empty)
    worst = urls[-1]
    said = [finding(keys[url], Verdict.GONE if url == worst else Verdict.TIMEOUT) for url in urls]
    write(empty, made, *said)
    text = told(empty, "markdown")
    rows = [line for line in text.splitlines() if line.startswith(("| medium", "| low"))]

    assert len(text.encode()) <= MAX_COMMENT_BYTES
    assert "http://299.example/" in rows[0]
    assert text.endswith(f"\n… and {300 - len(rows)} more links.\n")
    assert "- … and 10 more\n" in text


async def test_formats_of_the_program(tmp_path: Path) -> None:
    """Each format comes from report and from audit; a report is no gate."""
    async with serve() as site:
        site.fallback = page()
        site.add("http://bad.example/a", answer(404))
        records(tmp_path, "http://bad.example/a", "http://good.example/")
        said = await run(tmp_path, "audit", "--connect-to", site.detour, "--format", "junit")
    for format_ in ("csv", "junit", "sarif", "markdown", "prometheus"):
        done = await run(tmp_path, "report", "--format", format_, "-o", "told")
        assert (done.code, done.out, done.err) == (0, "", "")
        text = (tmp_path / "told").read_text(encoding="utf-8")
        assert ("http://bad.example/a" in text) is (format_ != "prometheus")

    assert said.code == 1
    (failed,) = ET.fromstring(said.out).iter("failure")
    assert failed.get("message") == "not-found (404)"
