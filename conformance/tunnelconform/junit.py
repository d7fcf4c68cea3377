"""The report as JUnit XML, which CI systems read: one suite a machine, one test a case.

What did not pass is never counted as passed: an inconclusive or unsupported case and an excused failure are skipped, each with its
reason. A stale entry of the baseline is a failure of its own.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence

from tunnelconform.played import Verdict
from tunnelconform.report import Entry, Report
from tunneldraw.sequence_text import to_text, visible

WIDTH = 100
BASELINE = "baseline"


def to_xml(report: Report) -> str:
    """The whole, as text."""
    root = ET.Element("testsuites", {"name": printable(report.subject), "time": f"{report.seconds:.3f}"})
    suites: dict[str, list[Entry]] = {}
    for entry in report.entries:
        suites.setdefault(entry.machine, []).append(entry)
    for machine, entries in suites.items():
        _suite(root, report, machine, [_case(report, entry) for entry in entries])
    if report.stale:
        _suite(root, report, BASELINE, [_stale(report, id_, why) for id_, why in report.stale.items()])
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.attrib[name]) for suite in root)))
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def printable(text: str) -> str:
    """The text without what XML cannot carry: control characters are written out."""
    return "\n".join(visible(line) for line in text.split("\n"))


def _suite(root: ET.Element, report: Report, name: str, cases: Sequence[ET.Element]) -> None:
    count = {what: sum(case.find(what) is not None for case in cases) for what in ("failure", "error", "skipped")}
    suite = ET.SubElement(
        root,
        "testsuite",
        {
            "name": printable(name),
            "tests": str(len(cases)),
            "failures": str(count["failure"]),
            "errors": str(count["error"]),
            "skipped": str(count["skipped"]),
            "time": f"{sum(float(case.get('time', 0)) for case in cases):.3f}",
        },
    )
    facts = {"subject": report.subject, "seed": report.seed, "profile": report.profile, **(report.limits or {})}
    properties = ET.SubElement(suite, "properties")
    for key, value in facts.items():
        ET.SubElement(properties, "property", {"name": key, "value": printable(str(value))})
    suite.extend(cases)


def _test(report: Report, machine: str, name: str, seconds: float) -> ET.Element:
    classname = f"{printable(report.subject).replace('.', '_').replace(' ', '.')}.{printable(machine)}"
    return ET.Element("testcase", {"classname": classname, "name": printable(name), "time": f"{seconds:.3f}"})


def _case(report: Report, entry: Entry) -> ET.Element:
    case = _test(report, entry.machine, entry.id, entry.seconds)
    if entry.excused:
        ET.SubElement(case, "skipped", {"type": "excused", "message": printable(f"excused: {entry.excused}")})
    elif entry.verdict is Verdict.FAIL:
        broken = ", ".join(entry.rules)
        message = printable(f"{entry.says} (rests on {broken})" if broken else entry.says)
        ET.SubElement(case, "failure", {"type": entry.aspect or "fail", "message": message}).text = _in_full(entry)
    elif entry.verdict is Verdict.ERROR:
        ET.SubElement(case, "error", {"type": "error", "message": printable(entry.why)})
    elif entry.verdict is not Verdict.PASS:
        kind = entry.verdict.value
        ET.SubElement(case, "skipped", {"type": kind, "message": printable(f"{kind}: {entry.why}")})
    return case


def _in_full(entry: Entry) -> str:
    drawn = [to_text(entry.drawing, width=WIDTH)] if entry.drawing else []
    return printable("\n".join([*drawn, *entry.told]))


def _stale(report: Report, id_: str, why: str) -> ET.Element:
    case = _test(report, BASELINE, id_, 0.0)
    ET.SubElement(case, "failure", {"type": "stale", "message": printable(f"the entry is stale: {why}")})
    return case
