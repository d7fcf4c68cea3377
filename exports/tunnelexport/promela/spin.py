"""Runs SPIN on a model: generate, compile, search, and read what it says.

Everything happens in a folder of its own. SPIN's programs run in a process group of their own, and end with ours.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tunnelexport.promela.model import Model

VECTOR = 160
"""Bytes of a state vector, unless told; a state that needs more ends the run with a message that says so."""

DEEP, SHALLOW = 5_000_000, 500_000
"""Steps that a depth-first search may be deep: on one core; on several, which hand work over before."""

LIMITED, INTERRUPTED = "stopped by a limit", "interrupted"
"""Why a search was ended."""

OVERRUN = 97
TABLE = 98
"""Exit codes of a model: something did not fit, or would have raised in Python; a table was silent or ambiguous."""


class Missing(Exception):
    """SPIN or a C compiler is not installed."""


class Failed(Exception):
    """SPIN, the compiler or the search failed: the message has what it said."""


@dataclass(frozen=True)
class Mode:
    """How to search. Breadth first gives shortest traces; depth first takes less memory; bitstate, which remembers states
    by a few bits only, covers most of what fits into no memory, and never all for certain."""

    breadth: bool = True
    bitstate: bool = False
    circles: bool = False  # look for runs without end, and for nothing else
    cores: int = 1  # of a depth-first search
    enough: int = 0  # properties found violated after which to stop; 0: go on
    seed: int = 0  # of a randomised bitstate search; 0: not randomised
    vector: int = VECTOR
    table_bits: int = 22  # of the hash table; of a bitstate search, of its memory
    memory_mib: int = 0  # stop at this much; 0: no limit
    optimise: int = 1

    def flags(self) -> list[str]:
        """For the compiler."""
        flags = [f"-O{self.optimise}", "-w", "-DNOREDUCE", "-DFREQ=200000", f"-DVECTOR={self.vector}"]
        if self.circles:  # what only goes round on the spot does not count
            return [*flags, "-DNP", "-DMOVES=1"]
        flags.append("-DSAFETY")
        if self.breadth:
            flags.append("-DBFS")
        if self.bitstate:
            flags.append("-DBITSTATE")
        if self.seed:
            flags += ["-DT_RAND", "-DP_RAND"]
        if self.cores > 1:
            flags.append(f"-DNCORE={self.cores}")
        if self.enough:
            flags.append(f"-DENOUGH={self.enough}")
        if self.memory_mib:
            flags.append(f"-DMEMLIM={self.memory_mib}")
        return flags

    def options(self) -> list[str]:
        """For the search: all states, whatever it finds, and a trail for each finding."""
        if self.circles:
            return ["-E", "-l", f"-w{self.table_bits}", f"-m{DEEP}"]
        options = ["-E", "-c0", f"-w{self.table_bits}"]
        if self.cores == 1:
            options.append("-e")  # on several cores a trail would be the end of the search
        if not self.breadth:
            options.append(f"-m{DEEP if self.cores == 1 else SHALLOW}")
        if self.seed:
            options.append(f"-RS{self.seed}")
        return options

    @property
    def exact(self) -> bool:
        """Whether it visits every state."""
        return not self.bitstate


@dataclass
class Ran:
    """What a search found. ``complete``: every state was visited."""

    states: int = 0
    transitions: int = 0
    depth: int = 0
    seconds: float = 0.0  # of the search alone
    compiling: float = 0.0
    memory_mib: float = 0.0  # of the states, without SPIN's own tables
    total_mib: float = 0.0
    vector: int = 0  # bytes of the longest state
    complete: bool = False
    stopped: str = ""
    undecided: str = ""  # the machine whose table was silent or ambiguous
    violated: frozenset[str] = frozenset()
    circle: bool = False  # a run without end was found
    trails: tuple[tuple[str, ...], ...] = ()  # the actions of each trail; of which property, replaying it tells
    witnesses: dict[str, int] = field(default_factory=dict)  # property -> states or steps in which it could have failed
    took: frozenset[str] = frozenset()  # transitions

    @property
    def rate(self) -> float:
        return self.states / max(self.seconds, 0.001)


Progress = Callable[[int, int], bool]
"""Told now and then: states and transitions so far. False stops the search."""


def onwards(states: int, transitions: int) -> bool:
    """A progress that goes on."""
    return True


def tool(*names: str) -> str:
    """The path of the first of these programs that is installed. Raises ``Missing``."""
    for name in names:
        found = shutil.which(name)
        if found:
            return found
    raise Missing(
        f"{names[0]} is not installed: SPIN needs the packages 'spin' and 'gcc' (Debian: apt-get install spin gcc)"
    )


@contextmanager
def running(command: list[str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A program in its own process group, which does not outlive this block."""
    environment = {**os.environ, "LC_ALL": "C"}
    with subprocess.Popen(
        command,
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        start_new_session=True,
    ) as program:
        try:
            yield program
        finally:
            if program.poll() is None:
                os.killpg(program.pid, signal.SIGKILL)


def output(command: list[str], folder: Path) -> str:
    """What a program says. Raises ``Failed`` if it fails."""
    with running(command, folder) as program:
        words, _ = program.communicate()
    if program.returncode:
        raise Failed(f"{Path(command[0]).name} failed: {words.strip()[-2000:]}")
    return words


def build(model: Model, mode: Mode, folder: Path, name: str = "pan") -> float:
    """Generate the search and compile it; the seconds it took. Raises ``Missing`` and ``Failed``."""
    began = time.monotonic()
    spin, compiler = tool("spin"), tool("gcc", "cc")
    if not (folder / "pan.c").exists():
        (folder / "world.pml").write_text(model.text, encoding="ascii")
        output([spin, "-a", "world.pml"], folder)
    output([compiler, *mode.flags(), "-o", name, "pan.c"], folder)
    return time.monotonic() - began


def run(model: Model, mode: Mode, folder: Path, progress: Progress = onwards) -> Ran:
    """Compile and search. Raises ``Missing`` and ``Failed``."""
    compiling = build(model, mode, folder)
    ran = search(model, mode, folder, progress)
    ran.compiling = compiling
    return ran


def search(model: Model, mode: Mode, folder: Path, progress: Progress = onwards, name: str = "pan") -> Ran:
    """Run what was compiled."""
    for old in folder.glob("world.pml*.trail"):
        old.unlink()
    lines: list[str] = []
    began = time.monotonic()
    with running([str(folder / name), *mode.options()], folder) as program:
        code, ended = _follow(program, lines, progress)
    try:
        ran = understand(lines, code, mode)
    except Failed:
        if ended != INTERRUPTED:
            raise
        ran = Ran()  # it was ended before it had anything to tell
    if ended:
        ran.complete, ran.stopped = False, ended
    ran.seconds = _number(r"elapsed time ([0-9.e+]+) seconds", "".join(lines)) or time.monotonic() - began
    if ran.violated or ran.circle:
        steps = _steps(folder, name)
        ran.trails = tuple(trail(path, model, steps) for path in sorted(folder.glob("world.pml*.trail")))
    return ran


def _follow(program: subprocess.Popen[str], lines: list[str], progress: Progress) -> tuple[int, str]:
    """Read what a search says to its end: its exit code, and why it was ended if it was. It still tells what it found."""
    assert program.stdout is not None
    why = ""
    while True:
        try:
            for line in program.stdout:
                lines.append(line)
                found = re.search(r"States=\s*([0-9.e+]+)\s+Transitions=\s*([0-9.e+]+)", line)
                if found and not progress(int(float(found[1])), int(float(found[2]))):
                    why = why or LIMITED
                    os.killpg(program.pid, signal.SIGINT)
            return program.wait(), why
        except KeyboardInterrupt:
            why = INTERRUPTED
            os.killpg(program.pid, signal.SIGINT)


def understand(lines: list[str], code: int, mode: Mode) -> Ran:
    """What a search's output means. Raises ``Failed``."""
    text = "".join(lines)
    table = re.search(r"tunnelspec undecided: (.*)", text)
    if code == TABLE and table:
        return Ran(undecided=table[1], stopped=f"a table is silent or ambiguous: {table[1]}")
    failed = re.search(r"tunnelspec failed: (.*)", text)
    if failed or code == OVERRUN:
        raise Failed(f"the model stopped: {failed[1] if failed else code}")
    if "states, stored" not in text:
        raise Failed(f"the search ended without a result: {text.strip()[-2000:]}")
    witnesses: Counter[str] = Counter()
    for id_, times in re.findall(r"tunnelspec witness: (\S+) (\d+)", text):  # of each core
        witnesses[id_] += int(times)
    circle = "non-progress cycle (at depth" in text
    short = ""
    for sign, why in (("max search depth too small", "deeper than the stack"), ("memory bound", "out of memory"),
                      ("reached -DMEMLIM", "out of memory"), ("out of memory", "out of memory"),
                      ("Search not completed", "interrupted")):  # fmt: skip
        short = short or (why if sign in text and not circle else "")
    return Ran(
        states=int(_number(r"([0-9.e+]+) states, stored", text)),
        transitions=int(_number(r"([0-9.e+]+) transitions \(=", text)) - 1,  # SPIN counts the beginning as one
        depth=int(_number(r"depth reached ([0-9]+)", text)) + mode.breadth,
        memory_mib=_number(r"([0-9.]+)\s+actual memory usage for states", text),
        total_mib=_number(r"([0-9.]+)\s+total actual memory usage", text),
        vector=int(_number(r"tunnelspec vector: ([0-9]+)", text)),
        complete=mode.exact and not short,
        circle=circle,
        stopped=short or ("" if mode.exact else "bitstate: states may be missing"),
        violated=frozenset(re.findall(r"tunnelspec violated: (\S+)", text)),
        witnesses=dict(witnesses),
        took=frozenset(re.findall(r"tunnelspec took: (\S+)", text)),
    )


def _number(pattern: str, text: str) -> float:
    found = re.findall(pattern, text)
    return float(found[-1]) if found else 0.0


def _steps(folder: Path, name: str) -> dict[int, int]:
    """SPIN's number of a step -> the option of the model's loop."""
    _, _, world = output([str(folder / name), "-d"], folder).partition("proctype world")
    ids = re.findall(r"\[id\s+(\d+) tp", world.partition("proctype")[0].partition("claim")[0])
    return {int(id_): place for place, id_ in enumerate(dict.fromkeys(ids))}


def trail(path: Path, model: Model, steps: dict[int, int]) -> tuple[str, ...]:
    """The actions of a trail that the search wrote."""
    rows = (line.split(":") for line in path.read_text(encoding="ascii").splitlines())
    options = [steps.get(int(row[2]), 0) for row in rows if len(row) == 3 and int(row[0]) > 0]
    return tuple(model.actions[option - 1] for option in options if option > 0)
