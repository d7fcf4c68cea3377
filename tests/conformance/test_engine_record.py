"""The engine's record: what is taken into it, what is written from it, and when ``check`` refuses. And a stale baseline."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.engine_report import REPORT, Record, main, own_waits, unborne
from tunnelcli.main import main as tunnelspec

MARKS = "".join(
    f"<!-- engine_report: {name} -->\n{row}<!-- /engine_report -->\n"
    for name, row in (
        ("runs", ""),
        ("findings", "| [E01](#e01) | what | 9 | harm |\n"),
        ("inconclusive", ""),
        ("flaky", ""),
        ("unsettled", ""),
        ("own_waits", ""),
        ("cases", ""),
    )
)


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A run against a reference that departs from the tables, as JSON."""
    departs = ("--option=--deviation", "--option=first-index-0-gateway")
    assert (
        tunnelspec(
            [
                "conform",
                "gateway",
                *departs,
                "--only",
                "ACK-G-03/shut",
                "--no-shrink",
                "--repeat",
                "3",
                "--json",
            ]
        )
        == 1
    )
    file = tmp_path / "run.json"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    return file


def test_what_fails_with_the_subjects_own_waits_counts_apart() -> None:
    """Three failures in one way, and no pass among them, but for those with shortened waits; never a finding's case."""
    cases = {"A/a": "1 p; 2 f0 f0 f0", "A/b": "1 f0 f0 f0; 2 f0 f0", "A/c": "2 f0 f0 f0 p", "A/d": "2 f0 f0 f0"}
    record = Record({"runs": [{}, {"options": "--default-limits"}], "ways": ["Deliver"], "cases": cases})
    assert own_waits(record, {"A/d": "E01: why"}).splitlines()[2:] == [
        "| Deliver | 3 | 1 |",
        "",
        "**Deliver**:",
        "`A/a`",
    ]
    assert record.came("A/b") == {"f0": 3}


def test_add_write_check(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that is added once, makes the report stale until it is written anew."""
    report = tmp_path / "engine.md"
    report.write_text(MARKS, encoding="utf-8")
    report.with_suffix(".json").write_text('{"ACK-G-03/shut": "E01: why"}', encoding="utf-8")
    there = ["--report", str(report)]
    assert main([*there, "add", str(run), "--note", "quiet", "--load", "0.5"]) == 0
    record = Record(json.loads(report.with_suffix(".runs.json").read_text(encoding="utf-8")))
    assert record.cases == {"ACK-G-03/shut": "1 f0 f0 f0"}
    assert record.ways == ["ToClientWebSocketMessage"]
    assert record.runs[0]["counts"] == {"fail": 3}
    assert main([*there, "check"]) == 5
    assert main([*there, "write"]) == 0
    assert main([*there, "check"]) == 0
    text = report.read_text(encoding="utf-8")
    assert "| [E01](#e01) | what | 1 | harm |" in text
    assert "**E01** (1):\n`ACK-G-03/shut`" in text
    assert (
        "quiet; `--option=--deviation --option=first-index-0-gateway`; load 0.5 | 3 | 0 | 3 | 0 | 0 | 0 | 0 |" in text
    )
    assert main([*there, "add", str(run), "--note", "quiet", "--load", "0.5"]) == 2, "twice the same"
    assert main([*there, "add", str(report)]) == 2, "no report"


@pytest.mark.parametrize(
    ("came", "options", "why"),
    [
        ("1 f0 f0 f0", "", ""),
        ("1 f0 f0", "", ""),  # too few plays to say
        ("1 f0 f0; 2 f0 i", "", ""),
        ("1 f0 f0 p", "", "A-1/x passed 1 times of 3"),
        ("1 f0 f1 f0", "", "A-1/x failed at most 2 times in one way, of 3"),
        ("1 i i i", "", "A-1/x failed at most 0 times in one way, of 3"),
        ("1 p", "--default-limits", ""),  # other waits, another conversation
    ],
)
def test_the_record_holds_the_baseline_to_its_rule(came: str, options: str, why: str) -> None:
    """Three failures in one way, and no pass, over the runs with shortened waits."""
    runs = [{"options": options}, {"options": ""}]
    record = Record({"runs": runs, "ways": ["a", "b"], "cases": {"A-1/x": came}})
    assert list(unborne(record, ["A-1/x", "A-1/unplayed"])) == ([why] if why else [])


def test_the_report_is_current() -> None:
    """The committed one."""
    assert main(["--report", str(REPORT), "check"]) == 0


def test_a_stale_baseline_is_exit_5(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Against the reference, over real sockets: an entry whose case passes, and one that names no case."""
    file = tmp_path / "known.json"
    file.write_text('{"LINK-G-12/ready": "was wrong", "LINK-G-12/gone": "is no case"}', encoding="utf-8")
    assert tunnelspec(["conform", "gateway", "--only", "LINK-G-12/ready", "--baseline", str(file)]) == 5
    said = capsys.readouterr().out
    assert "LINK-G-12/ready is stale: it passes" in said
    assert "LINK-G-12/gone is stale: there is no such case" in said
