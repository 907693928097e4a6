"""HTML: one file, no network, no script; everything from records and servers is escaped."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final

from crawler.report.base import Summary
from crawler.report.line import moment
from crawler.report.safe import shown
from storage.model import Class, Verdict
from storage.queries import WORST_FIRST, Entry, EntryLink

STYLE: Final = """
:root{color-scheme:light dark;--ink:#1c2126;--soft:#5d6670;--paper:#fff;--line:#e2e6ea;
--hard:#b3261e;--soft-c:#c4501b;--content:#8e3a9d;--transient:#9a6b00;--unknown:#0b6e8a;
--unchecked:#6b7480;--alive:#1b7f4b}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ec;--soft:#9aa4ae;--paper:#14181c;--line:#2b3238;
--hard:#ff8a80;--soft-c:#ffab7a;--content:#dca0ea;--transient:#f0c25c;--unknown:#6fd0ea;
--unchecked:#9aa4ae;--alive:#6fdc9f}}
*{box-sizing:border-box}body{margin:0 auto;max-width:70rem;padding:1.5rem;background:var(--paper);
color:var(--ink);font:16px/1.5 system-ui,sans-serif}h1{font-size:1.5rem;margin:0}
p{margin:.3rem 0 1.2rem;color:var(--soft)}dl{display:grid;grid-template-columns:8rem 4rem 1fr;
gap:.25rem .75rem;align-items:center;margin:0 0 1.5rem}dt{font-weight:600}dd{margin:0}
.bar{height:.7rem;border-radius:.35rem;background:currentColor;min-width:.35rem}
article{border-top:1px solid var(--line);padding:.8rem 0}h2{font-size:1rem;margin:0;
overflow-wrap:anywhere;font-weight:500}.v{font-weight:700;margin-right:.6rem}
small,li{color:var(--soft);font-size:.88rem;overflow-wrap:anywhere}ul{margin:.3rem 0 0;padding-left:1.2rem}
.i{color:var(--content)}.hard{color:var(--hard)}.soft{color:var(--soft-c)}.content{color:var(--content)}
.transient{color:var(--transient)}.unknown{color:var(--unknown)}.unchecked{color:var(--unchecked)}
.alive{color:var(--alive)}
"""
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
LINKS: Final = 10


def report(summary: Summary) -> Iterator[str]:
    """The page in pieces."""
    yield (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>Link health</title><style>{STYLE}</style></head><body><main>"
    )
    yield _head(summary)
    for problem in summary.problems:
        place = problem.path if problem.line is None else f"{problem.path}:{problem.line}"
        yield (
            f'<article><h2><span class="v hard">record problem</span>{_text(place)}</h2>'
            f"<small>{_text(problem.reason)}</small></article>"
        )
    for entry in summary.entries():
        if entry.known.cls is not Class.ALIVE or any(link.issues for link in entry.links):
            yield _article(entry)
    yield "</main></body></html>\n"


def _text(text: str) -> str:
    return escape(shown(text), quote=True)


def _head(summary: Summary) -> str:
    run, totals = summary.run, summary.totals
    when = moment(run.started_at) if run else "never"
    largest = max(totals.classes.values(), default=1)
    rows = "".join(
        _bar(cls, totals.classes[cls.value], largest, totals.verdicts)
        for cls in reversed(WORST_FIRST)
        if totals.classes.get(cls.value)
    )
    issues = ", ".join(f"{name} {count}" for name, count in sorted(totals.issues.items()))
    count = sum(totals.issues.values())
    ending = _text("; ".join(summary.certificates))
    warning = f'<p class="transient">Certificates that end soon: {ending}.</p>' if ending else ""
    row = f'<dt class="i">link issues</dt><dd>{count}</dd><dd><small>{issues}</small></dd>'
    return (
        f"<h1>Link health</h1><p>{totals.targets} targets, {totals.links} links, "
        f"run {run.id if run else '-'} of {when}</p><dl>{rows}{row if issues else ''}</dl>{warning}"
    )


def _bar(cls: Class, count: int, largest: int, verdicts: dict[str, int]) -> str:
    width = max(1, round(60 * count / largest))
    said = ", ".join(f"{v} {n}" for v, n in sorted(verdicts.items()) if Verdict(v).cls is cls)
    return (
        f'<dt class="{cls.value}">{cls.value}</dt><dd>{count}</dd>'
        f'<dd class="{cls.value}"><div class="bar" style="width:{width}%"></div>'
        f"<small>{said}</small></dd>"
    )


def _article(entry: Entry) -> str:
    finding, known = entry.finding, entry.known
    facts = [entry.state.value]
    facts += [str(finding.status)] if finding and finding.status else []
    facts += [_text(finding.detail)] if finding and finding.detail else []
    facts += [f"now at {_text(finding.moved_to)}"] if finding and finding.moved_to else []
    ordered = sorted(entry.links, key=lambda one: not one.issues)
    more = len(entry.links) - LINKS
    rest = f"<li>and {more} more links</li>" if more > 0 else ""
    return (
        f'<article><h2><span class="v {known.cls.value}">{known.value}</span>{_text(entry.url)}</h2>'
        f"<small>{' · '.join(facts)}</small>"
        f"<ul>{''.join(_link(one) for one in ordered[:LINKS])}{rest}</ul></article>"
    )


def _link(one: EntryLink) -> str:
    issues = "".join(
        f'<br><span class="i">{issue.issue.value}: {_text(issue.expected or "")} → '
        f"{_text(issue.actual or '')}</span>"
        for issue in one.issues
    )
    place = f"{one.record}:{one.link.line}:{one.link.column}"
    return f"<li>{_text(place)} {_text(one.link.field)}{issues}</li>"
