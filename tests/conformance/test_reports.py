"""What the suite found is told in the same way in each of its reports: JSON, JUnit XML, HTML, the matrix, and tests in pytest."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any

import junitparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunnelcli.main import main
from tunnelconform import html_matrix, html_report, junit
from tunnelconform.cases import Case
from tunnelconform.marks import marked
from tunnelconform.matrix import matrix, to_text
from tunnelconform.played import Verdict
from tunnelconform.pytest_plugin import heeded, parsed
from tunnelconform.report import OUTCOMES, Entry, Failure, Report, ReportError, from_json, named, read, to_json
from tunnelconform.suite import Result
from tunnelconform.terminal import LOGGED_S, Progress
from tunneldraw.picture import Picture, anchor
from tunneldraw.sequence import Lane, Message, Note, Sequence
from tunneldraw.sequence_text import columns
from tunnelspec.endpoint import MACHINES

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
NODE = ROOT / "tests/node"
DEPARTS = ["--option=--deviation", "--option=acks-what-it-drops"]
DRAWING = Sequence(
    "x", (Lane("a", "a"), Lane("b", "b")), (Message("a", "b", "hé\x07"), Note("a", "silence", ("ACK-G-07",)))
)

words = st.text(max_size=12)
entries = st.builds(
    Entry,
    st.sampled_from(["ACK-G-07/live", "ACK-G-07/held", "ACK-G-11/live", "HIB-G-05/awake", "PROFILE-P1/x"]),
    st.sampled_from(Verdict),
    says=words,
    why=words,
    excused=st.just(""),
    seconds=st.integers(0, 40_000).map(lambda ms: ms / 1000),
    rules=st.sampled_from([(), ("ACK-G-07",), ("CONN-G-P1",)]),
    told=st.lists(words, max_size=2).map(tuple),
    drawing=st.sampled_from([None, DRAWING]),
).flatmap(
    lambda e: st.sampled_from(["", "known <b>"] if e.verdict is Verdict.FAIL else [""]).map(
        lambda excused: Entry(**{**vars(e), "excused": excused})
    )
)
failures = st.builds(
    Failure,
    st.just("ACK-G-07/live"),
    st.just(("ACK-G-07/live", "ACK-G-07/held")),
    words,
    st.just(()),
    st.just(({"do": "join"},)),
    st.just(3),
    st.just(3),
    st.lists(words, max_size=2).map(tuple),
    st.sampled_from([None, DRAWING]),
)
reports = st.builds(
    Report,
    words,
    st.just(1.5),
    st.lists(entries, max_size=8).map(tuple),
    st.lists(failures, max_size=1).map(tuple),
    st.dictionaries(words, words, max_size=2),
    st.integers(0, 9),
    st.just({"ack_timeout_ms": 900}),
    st.just("none"),
    st.lists(words, max_size=1).map(tuple),
    st.just({"CONN-G-24": "No conversation: it is so."}),
    st.just("tunnelspec conform gateway"),
)


@settings(max_examples=40, deadline=None)
@given(reports)
def test_the_reports_agree_and_none_makes_a_pass_of_what_did_not_pass(report: Report) -> None:
    counts = Counter({outcome: n for outcome, n in report.counts().items() if n})
    assert Counter(to_json(report)["counts"]) == counts
    page = html_report.to_html(report)
    assert Counter(re.findall(r'<li[^>]* data-outcome="(\w+)"', page)) == counts
    told = junitparser.JUnitXml.fromstring(junit.to_xml(report).encode())
    stale = len(report.stale or {})
    assert told.tests == len(report.entries) + stale
    assert told.failures == counts["fail"] + stale
    assert told.errors == counts["error"]
    cases = [case for suite in told for case in suite if suite.name != junit.BASELINE]
    assert Counter(kind(case) for case in cases) == counts
    assert sum(suite.skipped for suite in told) == sum(counts[o] for o in ("inconclusive", "unsupported", "excused"))


def kind(case: junitparser.TestCase) -> str:
    """What a public reader makes of a test, in our words."""
    if not case.result:
        return "pass"
    (found,) = case.result
    if isinstance(found, junitparser.Failure):
        return "fail"
    return str(found.type)


@given(reports)
@settings(max_examples=60)
def test_a_report_is_data(report: Report) -> None:
    assert from_json(json.loads(json.dumps(to_json(report)))) == report


@settings(max_examples=25, deadline=None)
@given(reports)
def test_whatever_a_subject_says_the_files_are_well_formed(report: Report) -> None:
    """Names and words with control characters, and HTML in a reason, stay words."""
    ET.fromstring(junit.to_xml(report))
    page = html_report.to_html(report)
    assert "known <b>" not in page
    assert not re.search(r"[\x00-\x08\x0b-\x1f]", page)
    ids = re.findall(r'\sid="?([^"\s>]+)', page)
    assert [id_ for id_, times in Counter(ids).items() if times > 1] == []
    assert not re.search(r"""(?:src|href)=["']?(?:https?:|//|\.\.?/)""", page)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.id)
def test_every_transition_that_is_drawn_is_marked(machine: Any) -> None:
    """In the picture of each machine there is a mark at each of its transitions, and its word where it is broken."""
    outcomes = {t.id: OUTCOMES[place % len(OUTCOMES)] for place, t in enumerate(machine.transitions)}
    first = machine.transitions[0].id
    root = ET.fromstring(marked(Picture(machine), outcomes, {first}))
    found = {g.get("id", "").partition("-in-")[0]: g.get("data-outcome") for g in root.iter() if g.get("data-outcome")}
    assert found == {anchor(id_): outcome for id_, outcome in outcomes.items()}
    assert {text.text for text in root.iter() if text.text == "broken"} == {"broken"}
    assert all((a.get("href") or "#t-").startswith("#t-") for a in root.iter() if a.tag.endswith("}a"))


@settings(max_examples=50, deadline=None)
@given(st.lists(reports, min_size=1, max_size=3), st.booleans(), st.booleans())
def test_side_by_side_nothing_is_lost(several: list[Report], cases: bool, differing: bool) -> None:
    table = matrix([(f"s{place}", report) for place, report in enumerate(several)], cases, differing)
    assert [sum(total.values()) for total in table.totals] == [len(report.entries) for report in several]
    if not differing:
        for place, report in enumerate(several):
            assert sum((row.cells[place] for row in table.rows), Counter()) == report.counts()
    assert all(row.differs for row in table.rows) or not differing
    assert all(columns(line) <= 120 for line in to_text(table, 120).splitlines())
    assert html_matrix.to_html(table).count('<th scope="row">') == len(table.rows) + 1


def test_subjects_of_one_name_are_told_apart_by_their_files() -> None:
    one, other = Report("gateway x", 0.0, ()), Report("gateway y", 0.0, ())
    assert [name for name, _ in named([("a", one), ("b", one), ("c", other)])] == [
        "gateway x (a)", "gateway x (b)", "gateway y",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"subject": 1}', "\x00"])
def test_what_is_no_report_is_refused(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(ReportError, match=re.escape(str(path))):
        read(path)
    assert main(["conform", "matrix", str(path)]) == 2
    assert str(path) in capsys.readouterr().err


def test_a_runner_that_departs_is_told_in_every_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """ACK-R-07, over a real link, and then in a real browser: from disk, by keyboard, light, dark and at 360 pixels, by the
    rules of axe-core."""
    page, xml = tmp_path / "r.html", tmp_path / "r.xml"
    only = ["--only", "ACK-R-07/live", "--only", "ACK-R-01/after-ACK-R-0*"]
    assert (
        main(["conform", "runner", *only, *DEPARTS, "--json", "--html", str(page), "--junit", str(xml), "--draw", "*"])
        == 1
    )
    (tmp_path / "departs.json").write_text(capsys.readouterr().out)
    told = read(tmp_path / "departs.json")
    assert all(entry.drawing is not None for entry in told.entries)
    (failed,) = [entry for entry in told.entries if entry.verdict is Verdict.FAIL]
    (case,) = [c for suite in junitparser.JUnitXml.fromfile(str(xml)) for c in suite if c.result]
    assert case.name == failed.id == "ACK-R-07/live"
    assert "ACK-R-07" in case.result[0].text
    assert "gateway" in case.result[0].text.splitlines()[2]
    seen = look(page)
    assert seen["requests"] == seen["errors"] == []
    assert seen["axe"] == {"light": [], "dark": [], "narrow": []}
    assert max(seen["wide"].values()) <= 0
    assert len(seen["all"]["ids"]) == len(told.entries)
    assert seen["typed"]["ids"] == ["ack-r-07/live"]
    assert seen["unchecked"] == {"ids": ["ack-r-07/live"], "count": f"1 of {len(told.entries)} cases", "value": "pass"}
    assert seen["reset"] == seen["all"]
    assert main(["conform", "runner", *only, "--json"]) == 0
    (tmp_path / "tables.json").write_text(capsys.readouterr().out)
    table = tmp_path / "m.html"
    files = [str(tmp_path / name) for name in ("tables.json", "departs.json")]
    assert main(["conform", "matrix", *files, "--differing", "--html", str(table)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in out[1:-1]] == ["ACK-R-07"]
    assert out[1].split()[1:] == ["✓", "pass", "1", "✗", "fail", "1"]
    seen = look(table)
    assert seen["axe"] == {"light": [], "dark": [], "narrow": []}
    assert max(seen["wide"].values()) <= 0


def look(page: Path) -> dict[str, Any]:
    """What is seen in Chromium."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "install Debian's chromium: the page is tried in a real browser"
    command = ["node", str(NODE / "report.mjs"), str(page), chromium]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


INSIDE = """
import pytest

@pytest.mark.conformance("runner --only ACK-R-07/live --only ACK-R-01/after-ACK-R-0*")
def test_reference(conformance):
    conformance.check()

@pytest.mark.conformance("runner --only ACK-R-07/live --option=--deviation --option=acks-what-it-drops")
def test_departing(conformance):
    conformance.check()

@pytest.mark.conformance("runner --only ACK-R-07/live --baseline known.json --option=--deviation --option=acks-what-it-drops")
def test_known(conformance):
    conformance.check()
"""


def test_the_suite_inside_ones_own_tests(pytester: pytest.Pytester) -> None:
    """The reference passes; a runner that departs at ACK-R-07 fails the test of that name, with the conversation; what is known is
    an expected failure."""
    pytester.makepyfile(INSIDE)
    pytester.makefile(".json", known=json.dumps({"ACK-R-07/live": "we know"}))
    result = pytester.runpytest_inprocess("-p", "tunnelconform.pytest_plugin", "-v", "-rx")
    outcomes = result.parseoutcomes()
    assert (outcomes["failed"], outcomes["xfailed"], outcomes.get("errors", 0)) == (1, 1, 0)
    assert outcomes["passed"] > 1
    result.stdout.fnmatch_lines([
        "*test_reference?ACK-R-07/live? PASSED*", "*test_departing?ACK-R-07/live? FAILED*", "*gateway*runner*",
        "*told last:*", "run it again: tunnelspec conform runner * --only ACK-R-07/live", "*we know*",
    ])  # fmt: skip


@pytest.mark.parametrize(
    "marker", ["", "@pytest.mark.conformance('router')", "@pytest.mark.conformance('runner --only NOPE')"]
)
def test_a_marker_that_cannot_be_is_wrong_use(marker: str, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(f"import pytest\n{marker}\ndef test_it(conformance):\n    conformance.check()\n")
    result = pytester.runpytest_inprocess("-p", "tunnelconform.pytest_plugin")
    assert result.ret != 0
    assert "conformance" in result.stdout.str() + result.stderr.str()
    assert "passed" not in result.parseoutcomes()


def test_a_marker_takes_what_the_command_takes() -> None:
    args = parsed("gateway --adapter 'python my.py' --seed 7")
    assert (args.role, args.adapter, args.seed) == ("gateway", "python my.py", 7)
    with pytest.raises(ValueError, match="--sed"):
        parsed("gateway --sed 7")


@pytest.mark.parametrize("option", ["--repeat 2", "--budget 5m", "--html r.html", "--list"])
def test_a_marker_does_not_take_what_pytest_does_itself(option: str) -> None:
    assert heeded(parsed("runner --command ./mine")).role == "runner"
    with pytest.raises(ValueError, match=option.split()[0]):
        heeded(parsed(f"runner --command ./mine {option}"))


@given(st.lists(st.floats(0.01, 400), min_size=1, max_size=40))
def test_a_log_hears_how_far_a_long_run_is_once_a_minute(pauses: list[float]) -> None:
    """Where standard error is no terminal: whole lines, no two within a minute, and one as soon as a minute has passed."""
    now, err, told, last = [0.0], StringIO(), 0, 0.0
    progress = Progress(len(pauses) + 1, err, lambda: now[0])
    result = Result(Case("ACK-G-07/live", (), frozenset(), ""), Verdict.PASS)
    for place, pause in enumerate(pauses, 1):
        now[0] += pause
        progress.see(result)
        if now[0] >= last + LOGGED_S:
            told, last = told + 1, now[0]
            assert err.getvalue().splitlines()[-1].startswith(f"{place}/{len(pauses) + 1} cases, 0 failed, ")
        assert err.getvalue().count("\n") == told


def test_a_report_without_a_place_is_refused_before_the_suite_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conform", "runner", "--command", "/no/such/program", "--html", "/no/such/folder/r.html"]) == 2
    assert "there is no folder /no/such/folder" in capsys.readouterr().err


def test_the_recipes_of_the_page_can_be_followed() -> None:
    """Each command of ``conformance/README.md`` that names a gateway or a runner is one that the command understands."""
    page = (ROOT / "conformance/README.md").read_text(encoding="utf-8")
    found = re.findall(r"^ +tunnelspec conform ((?:gateway|runner) .*?)(?:\s>\S+|\s+#.*)?$", page, re.MULTILINE)
    assert len(found) > 3
    for command in found:
        parsed(command.replace("$GITHUB_RUN_NUMBER", "1"))
