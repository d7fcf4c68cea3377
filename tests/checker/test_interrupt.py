"""Ctrl-C: what explores for long stops cleanly, says what was covered, and leaves nothing behind; nor does what is ended. Real
processes, on a terminal."""

from __future__ import annotations

import gc
import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

import pytest

from tunnelcheck.interrupt import scratch

MARK = "TUNNELSPEC_INTERRUPTED"
"""A variable by which all processes of a run can be told, however they are started."""

CASES = {
    "check": (["check", "--size", "large", "--scenario", "all"], "states/s", "were covered"),
    "check, worlds side by side": (["check", "--size", "medium", "--cores", "2"], "states/s", "were covered"),
    "spin": (["check", "--engine", "spin", "--size", "large", "--scenario", "all"], "states/s", "were covered"),
    "spin early": (["check", "--engine", "spin", "--size", "large", "--scenario", "all"], "", "were covered"),
    "swarm": (["check", "--engine", "spin", "--search", "swarm", "--cores", "2", "--size", "large", "--scenario", "all"],
              "states/s", "were covered"),
    "mutate": (["mutate", "--only", "REQ-R-*"], " mutants, ", "interrupted; of"),
    "mutate early": (["mutate", "--only", "REQ-R-*"], "exploring", "interrupted; of"),
    "findings": (["findings", "--only", "F01", "F02", "F03", "G03"], " experiments", "nothing is written"),
}  # fmt: skip
"""What is run, what it shows when it is interrupted ("": as soon as it has a child), and what it says then."""


def processes(mark: str) -> set[int]:
    """The processes that inherited this mark."""
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                    found.add(int(folder.name))
            except OSError:  # it has just ended
                continue
    return found


def read_until(terminal: int, words: str) -> str:
    """What a terminal shows up to these words, or to its end."""
    shown = ""
    while words not in shown:
        try:
            more = os.read(terminal, 4096)
        except OSError:  # nobody holds the other end any longer
            break
        if not more:
            break
        shown += more.decode()
    return shown


ENDED = {
    "agree": (3, ["-m", "tunnelcli.main", "agree", "--scenario", "full", "wrap-again", "close", "sleep-two", "--processes", "2"]),
    "agree, one at a time": (3, ["-m", "tunnelcli.main", "agree", "--scenario", "full"]),
    "mutate": (3, ["-m", "tunnelcli.main", "mutate", "--only", "REQ-R-*"]),
    "repeat": (5, [str(Path(__file__).parents[2] / "tools" / "repeat.py"), "--runs", "1", "--volume-every", "0"]),
}  # fmt: skip
"""What is run until so many processes are there, it, its workers and programs of theirs, and is then ended from outside."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("case", ENDED)
def test_workers_end_with_their_parent(case: str, number: signal.Signals, tmp_path: Path) -> None:
    """However it ends, no process is left, and no folder."""
    count, words = ENDED[case]
    mark = uuid.uuid4().hex
    program = subprocess.Popen(
        [sys.executable, *words],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, MARK: mark, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    try:
        while program.poll() is None and len(processes(mark)) < count:
            os.sched_yield()
        assert program.poll() is None
        program.send_signal(number)
        _, errors = program.communicate(timeout=60)  # which comes when nobody holds its other end
        for left in processes(mark):
            await_end(left)
    finally:
        for left in processes(mark):
            os.kill(left, signal.SIGKILL)
    assert errors == ""
    assert program.returncode == -number
    assert not processes(mark)
    assert not list(tmp_path.iterdir())


def await_end(process: int) -> None:
    """Wait until a process, which need not be ours, has ended."""
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return
    try:
        assert select.select([handle], [], [], 60)[0]
    finally:
        os.close(handle)


@pytest.mark.parametrize("case", CASES)
def test_an_interrupt_stops_it_cleanly(case: str, tmp_path: Path) -> None:
    """Exit code 3, no process and no folder left."""
    words, event, says = CASES[case]
    mark = uuid.uuid4().hex
    ours, theirs = pty.openpty()
    program = subprocess.Popen(
        [sys.executable, "-m", "tunnelcli.main", *words],
        stdout=subprocess.PIPE, stderr=theirs, text=True, start_new_session=True,
        env={**os.environ, MARK: mark, "TMPDIR": str(tmp_path), "COLUMNS": "200"},
    )  # fmt: skip
    os.close(theirs)
    try:
        if event:
            shown = read_until(ours, event)
            assert event in shown
        else:
            while program.poll() is None and not list(tmp_path.iterdir()):
                os.sched_yield()
            shown = ""
        os.killpg(program.pid, signal.SIGINT)  # as a terminal does
        out, _ = program.communicate(timeout=60)
        shown += read_until(ours, "\0")
    finally:
        os.close(ours)
        if program.poll() is None:
            os.killpg(program.pid, signal.SIGKILL)
            program.wait()
    assert "Traceback" not in shown + out
    assert program.returncode == 3, shown + out
    assert says in shown + out
    assert not processes(mark)
    assert not list(tmp_path.iterdir())


def test_a_folder_is_gone_though_the_interrupt_came_as_it_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real signal, at the worst moment: the folder is there, and nobody has it yet."""
    make = tempfile.mkdtemp

    def interrupted(*args: str | None) -> str:
        folder = make(*args)
        signal.raise_signal(signal.SIGINT)
        return folder

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(tempfile, "mkdtemp", interrupted)
    with pytest.raises(KeyboardInterrupt), scratch():
        pytest.fail("it went on")
    gc.collect()
    assert not list(tmp_path.iterdir())
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
