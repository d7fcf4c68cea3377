"""Ctrl-C, and the SIGTERM of ``timeout`` and CI, end the suite cleanly: what was found is reported, and no subject is left."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.checker.test_interrupt import MARK, processes, read_until

DEVIANT = ["--option=--deviation", "--option=wakes-for-nothing"]

CASES = {
    "playing": (["gateway", "--only", "CONN-G-*", "--walks", "0"], signal.SIGINT, " cases, ", 3, "cases were not played"),
    "terminated": (["gateway", "--only", "CONN-G-*", "--walks", "0"], signal.SIGTERM, " cases, ", 3, "cases were not played"),
    "a runner": (["runner"], signal.SIGINT, " cases, ", 3, "cases were not played"),
    "shrinking": (["gateway", "--only", "HIB-G-05", *DEVIANT], signal.SIGINT, "shrinking: 0/1 failures, 1 plays", 1, "fail, "),
}  # fmt: skip
"""What is run, the signal, what it shows when it gets that, its exit code, and what it says then."""


@pytest.mark.parametrize("case", CASES)
def test_a_signal_ends_the_suite_cleanly(case: str, tmp_path: Path) -> None:
    """What was played is reported; 3, unless something failed; no process and no folder is left."""
    words, number, event, code, says = CASES[case]
    mark = uuid.uuid4().hex
    ours, theirs = pty.openpty()
    program = subprocess.Popen(
        [sys.executable, "-m", "tunnelcli.main", "conform", *words],
        stdout=subprocess.PIPE, stderr=theirs, text=True, start_new_session=True,
        env={**os.environ, MARK: mark, "TMPDIR": str(tmp_path), "COLUMNS": "200"},
    )  # fmt: skip
    os.close(theirs)
    try:
        shown = read_until(ours, event)
        assert event in shown
        os.killpg(program.pid, number)  # as a terminal does
        out, _ = program.communicate(timeout=60)
        shown += read_until(ours, "\0")
    finally:
        os.close(ours)
        if program.poll() is None:
            os.killpg(program.pid, signal.SIGKILL)
            program.wait()
    assert "Traceback" not in shown + out
    assert program.returncode == code, shown + out
    assert says in out.splitlines()[-1]
    assert not processes(mark)
    assert not list(tmp_path.iterdir())
