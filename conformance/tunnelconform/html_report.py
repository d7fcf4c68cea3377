"""A run as one HTML page: summary, failures with their conversations, what is excused, the pictures with marks, and all cases."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator

from tunnelconform.cases import TRANSITIONS
from tunnelconform.marks import SHAPES, marked
from tunnelconform.page import anchor, conversation, facts, page, table, tally, text, verdict
from tunnelconform.report import EXCUSED, OUTCOMES, TRIED_FIRST, Entry, Failure, Report, machine_of, worst
from tunneldraw.picture import Picture
from tunnelspec.endpoint import MACHINES
from tunnelspec.limits import DEFAULT
from tunnelspec.machine import Machine

UNITS = {name: unit for name, _, unit, _, _ in DEFAULT.describe()}


def to_html(report: Report) -> str:
    """The whole page. Raises ``tunneldraw.svg.Undrawable``."""
    parts = [*_head(report), *_failures(report), *_excused(report), *_stale(report), *_pictures(report)]
    return page(f"Conformance: {report.subject}", [*parts, *_cases(report), *_unreached(report)], "report.js")


def again(report: Report, case: str) -> str:
    """The command that runs one case again."""
    return f"{report.again} --only {shlex.quote(case)}"


def _head(report: Report) -> Iterator[str]:
    counts = report.counts()
    missing = f" Interrupted: {report.missing} cases were not played." if report.missing else ""
    yield f"<p>{len(report.entries)} cases: {text(tally(counts)) or 'none was run'}.{missing}</p>\n"
    limits = ", ".join(
        f"{name} = {value} {UNITS.get(name, '')}".strip() for name, value in (report.limits or {}).items()
    )
    yield facts(
        [
            ("seed", str(report.seed)),
            ("duration", f"{report.seconds:.1f} s"),
            ("profile", text(report.profile) + "".join(f"<br>{text(one)}" for one in report.differs)),
            ("limits that are not the defaults", text(limits)),
            ("run one case again", f"<code>{text(again(report, 'ID'))}</code>" if report.again else ""),
        ]
    )
    used = [outcome for outcome in OUTCOMES if counts[outcome]]
    rows = [
        (f'<a class="rule" href="#m-{anchor(machine)}">{text(machine)}</a>', found)
        for machine, found in report.by_machine().items()
    ]
    yield "<h2 id=summary>Summary</h2>\n"
    yield (
        table(
            ["machine", *map(verdict, used)],
            [(name, *(str(found[outcome] or "") for outcome in used)) for name, found in [*rows, ("all", counts)]],
        )
        if used
        else ""
    )


def _failures(report: Report) -> Iterator[str]:
    if not report.failures:
        return
    kinds = f"{len(report.failures)} {'kind' if len(report.failures) == 1 else 'kinds'}"
    yield f"<h2 id=failures>Failures, of {kinds}</h2>\n"
    yield "<p class=soft>Failures that are alike are shown once, by the shortest conversation that shows them.</p>\n"
    for failure in report.failures:
        yield from _failure(report, failure)


def _failure(report: Report, failure: Failure) -> Iterator[str]:
    says = TRANSITIONS[machine].says if (machine := failure.case.partition("/")[0]) in TRANSITIONS else ""
    yield f'<article id="f-{anchor(failure.case)}"><h3>{verdict("fail")} {text(failure.case)}</h3>\n<p>{text(says)}</p>\n'
    yield f"<pre>{text(_flush(failure.told))}</pre>\n"
    if failure.drawing:
        yield f"<details open><summary>The conversation</summary>\n{conversation(failure.drawing)}</details>\n"
    played = f"{failure.failed_again} of {failure.of} times" if failure.of else ""
    others = [id_ for id_ in dict.fromkeys(failure.cases) if id_ != failure.case]
    links = ", ".join(f'<a href="#c-{anchor(id_)}">{text(id_)}</a>' for id_ in others)
    more = f"<details><summary>{len(others)} more</summary>{links}</details>" if len(others) > 8 else links
    run = f"<code>{text(again(report, failure.case))}</code>" if report.again else ""
    yield facts([("played again, it failed", played), ("in the same way fail", more), ("run it again", run)])
    yield "</article>\n"


def _flush(lines: tuple[str, ...]) -> str:
    """The lines without the margin that they share."""
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[margin:] for line in lines)


def _excused(report: Report) -> Iterator[str]:
    found: dict[str, list[Entry]] = {}
    for entry in report.entries:
        if entry.excused:
            found.setdefault(entry.excused, []).append(entry)
    if found:
        yield "<h2 id=excused>Excused</h2>\n"
        yield "<p class=soft>These fail, and a profile or the baseline says why that is accepted.</p>\n"
        for reason, entries in found.items():
            links = ", ".join(f'<a href="#c-{anchor(e.id)}">{text(e.id)}</a>' for e in entries)
            yield f"<p>{verdict(EXCUSED)} {text(reason)} ({len(entries)})</p><p>{links}</p>\n"


def _stale(report: Report) -> Iterator[str]:
    if report.stale:
        yield "<h2 id=stale>Stale entries of the baseline</h2>\n<ul>"
        yield from (f"<li>{text(id_)}: {text(why)}</li>" for id_, why in report.stale.items())
        yield "</ul>\n"


def _pictures(report: Report) -> Iterator[str]:
    counts = report.by_transition()
    about = {machine_of(id_) for id_ in (*counts, *(report.out_of_reach or {}))} & {machine_of(id_) for id_ in counts}
    outcomes = {id_: worst(found, TRIED_FIRST) for id_, found in counts.items()}
    broken = _broken(report)
    outcomes |= dict.fromkeys(broken, "fail")
    about |= {machine_of(id_) for id_ in broken}
    yield "<h2 id=pictures>The tables, and what of them was tried</h2>\n<p>"
    yield "; ".join(f"{verdict(outcome)}: {WHAT[outcome]}" for outcome in SHAPES)
    yield '.</p>\n<p><label><input type="checkbox" id="full"> pictures in full size</label></p>\n'
    for machine in MACHINES:
        if machine.id in about:
            yield from _picture(report, machine, outcomes, counts, broken)


WHAT = {
    "pass": "a case about it passed, and none failed",
    "fail": "a case about it failed; with a frame and the word broken: a failure rests on it",
    "error": "the subject died",
    "excused": "its failure is excused",
    "inconclusive": "its case was not reached, or could not be followed",
    "unsupported": "the adapter says so",
    "": "no case about it was run",
}
"""What a mark at a transition means."""


def _broken(report: Report) -> Counter[str]:
    """Rules on which failures rest that nothing excuses; if a failure rests on none, what its case is about."""
    failed = (e for e in report.entries if e.outcome == "fail")
    return Counter(rule for e in failed for rule in e.rules or (e.transition,) if rule in TRANSITIONS)


def _picture(
    report: Report, machine: Machine, outcomes: dict[str, str], counts: dict[str, Counter[str]], broken: Counter[str]
) -> Iterator[str]:
    tried = [t.id for t in machine.transitions if t.id in counts]
    failing = [t.id for t in machine.transitions if t.id in broken]
    bad = f", {len(failing)} broken: {', '.join(failing)}" if failing else ""
    title = f"{machine.id} {machine.name}: {len(tried)} of {len(machine.transitions)} transitions tried{bad}"
    yield f'<details id="m-{anchor(machine.id)}"{" open" if failing else ""}><summary>{text(title)}</summary>\n'
    yield f'<figure class="picture" tabindex="0" role="group" aria-label="{text(machine.id)}">'
    yield f"{marked(Picture(machine), outcomes, broken)}</figure>\n"
    rows = []
    for t in machine.transitions:
        found = counts.get(t.id, Counter())
        rests = (
            f"; {broken[t.id]} {'failure rests' if broken[t.id] == 1 else 'failures rest'} on it"
            if broken[t.id]
            else ""
        )
        why = (report.out_of_reach or {}).get(t.id, "") if not found else ""
        many = f'<a href="#cases" data-ask="{t.id}/">{text(tally(found))}</a>' if found else text(why.partition(":")[0])
        rows.append(
            (
                f'<span class="rule" id="t-{anchor(t.id)}">{t.id}</span>',
                verdict(outcomes.get(t.id, "")),
                many + rests,
                text(t.says),
            )
        )
    yield table(["id", "mark", "cases", "rule"], rows)
    yield "</details>\n"


def _cases(report: Report) -> Iterator[str]:
    counts = report.counts()
    yield "<h2 id=cases>Cases</h2>\n<form id=filter hidden>\n"
    yield '<label>id contains <input type="search" name="id" autocomplete="off" spellcheck="false"></label>\n'
    yield "<fieldset><legend>verdict</legend>"
    for outcome in OUTCOMES:
        if counts[outcome]:
            box = f'<input type="checkbox" name="verdict" value="{outcome}" checked>'
            yield f"<label>{box}{verdict(outcome)} ({counts[outcome]})</label>"
    yield '</fieldset>\n<button type="reset">show all</button>\n<output id="count" aria-live="polite"></output>\n</form>\n'
    yield '<ul class="plain" id="list">\n'
    named: set[str] = set()
    for entry in report.entries:
        yield _case(report, entry, entry.id not in named)
        named.add(entry.id)
    yield "</ul>\n"


def _case(report: Report, entry: Entry, first: bool) -> str:
    name = f' id="c-{anchor(entry.id)}"' if first else ""
    aspect = f" ({text(entry.aspect)})" if entry.aspect else ""
    why = f" <span class=soft>{text(entry.why)}</span>" if entry.why else ""
    head = (
        f"{verdict(entry.outcome)}{aspect}<span class=id>{text(entry.id)}</span> {text(entry.says)}{why} "
        f"<span class=took>{entry.seconds:.2f} s</span>"
    )
    if entry.drawing or entry.told:
        told = f"<pre>{text(_flush(entry.told))}</pre>" if entry.told else ""
        drawn = conversation(entry.drawing) if entry.drawing else ""
        run = f"<p class=soft>run it again: <code>{text(again(report, entry.id))}</code></p>" if report.again else ""
        head = f"<details><summary>{head}</summary>\n{told}{drawn}{run}</details>"
    return f'<li{name} data-id="{text(entry.id.lower())}" data-outcome="{entry.outcome}">{head}</li>\n'


def _unreached(report: Report) -> Iterator[str]:
    if report.out_of_reach:
        rows = [(f'<span class="rule">{text(id_)}</span>', text(why)) for id_, why in report.out_of_reach.items()]
        yield "<h2 id=unreached>Out of a peer's reach</h2>\n"
        yield f"<details><summary>{len(rows)} transitions that no case takes</summary>\n"
        yield table(["id", "why"], rows)
        yield "</details>\n"
