"""The report on the production engine names cases that exist, and the baseline nothing that the report does not explain."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tunnelconform import baseline
from tunnelconform.cases import Case, selected
from tunnelconform.session import cases_of
from tunnelconform.stress import stress
from tunnelconform.subject_engine import FIXED, OURS, SHORT_ENGINE, USUAL_ENGINE
from tunnelspec.limits import DEFAULT

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "conformance" / "reports" / "engine-2.3.19.md"
BASELINE = REPORT.with_suffix(".json")


def cases_with(waits: Mapping[str, int]) -> tuple[Case, ...]:
    """The cases for an engine with these waits, with as many walks as the report was made with."""
    limits = replace(DEFAULT, **{OURS[name]: value for name, value in waits.items() if name in OURS}, **FIXED)
    return (*cases_of("gateway", limits)[0], *stress("gateway", limits, 0, 40))


@pytest.fixture(scope="module")
def cases() -> tuple[Case, ...]:
    """Those with its waits shortened, which the findings are about."""
    return cases_with({**USUAL_ENGINE, **SHORT_ENGINE})


@pytest.fixture(scope="module")
def known(cases: tuple[Case, ...]) -> frozenset[str]:
    """Their ids."""
    return frozenset(case.id for case in cases)


def listed() -> dict[str, set[str]]:
    """Finding -> the cases that the report's last chapter lists."""
    chapter = REPORT.read_text(encoding="utf-8").partition("## The cases of each finding")[2]
    parts = re.split(r"^\*\*(E\d\d)\*\*", chapter, flags=re.MULTILINE)[1:]
    return {id_: set(re.findall(r"`([^`]+)`", text)) for id_, text in zip(parts[::2], parts[1::2], strict=True)}


def test_the_report_s_cases_exist(known: frozenset[str]) -> None:
    """Whatever looks like a case's id in the report is one, with shortened waits or with the engine's own."""
    named = set(re.findall(r"`([A-Z]+-[GR]-\d+/[^`…]+|walk/[^`]+)`", REPORT.read_text(encoding="utf-8")))
    assert named
    assert named <= known | {case.id for case in cases_with(USUAL_ENGINE)}


def test_each_finding_has_its_chapter_and_its_cases() -> None:
    """E01 and the rest: a row in the summary, a chapter, and a list that agrees with the row's number."""
    text = REPORT.read_text(encoding="utf-8")
    rows = {id_: int(count) for id_, count in re.findall(r"^\| \[(E\d\d)\][^|]*\|[^|]*\| (\d+) \|", text, re.MULTILINE)}
    assert rows
    assert rows == {id_: len(cases) for id_, cases in listed().items()}
    assert all(f"\n### {id_}\n" in text for id_ in rows)


def test_the_baseline_is_explained(known: frozenset[str]) -> None:
    """Each entry is a case, gives its finding first, and is in that finding's list."""
    entries, findings = baseline.read(BASELINE), listed()
    assert entries
    assert set(entries) <= known
    for id_, reason in entries.items():
        assert id_ in findings[reason.partition(":")[0]], id_


def test_what_make_tries_has_cases(cases: tuple[Case, ...]) -> None:
    """Each pattern of ``make conform-engine`` selects something, and together they try each finding."""
    lines = re.search(r"^KNOWN := ((?:.*\\\n)*.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert lines
    patterns = lines[1].replace("\\\n", " ").split()
    assert all(selected(cases, [pattern]) for pattern in patterns)
    tried = {case.id for case in selected(cases, patterns)}
    assert {reason.partition(":")[0] for id_, reason in baseline.read(BASELINE).items() if id_ in tried} == set(
        listed()
    )
