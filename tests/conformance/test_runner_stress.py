"""Runners under stress: the reference and the one in JavaScript pass, and what breaks a runner is noticed."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
import websockets

from tunnelconform import conversation as talk
from tunnelconform.cases import Case
from tunnelconform.conversation import Conversation
from tunnelconform.hub import Hub
from tunnelconform.play_runner import RunnerPlay
from tunnelconform.played import Played, Verdict
from tunnelconform.shrink import signature
from tunnelconform.standalone import can_write, runner_script
from tunnelconform.stress import stress
from tunnelconform.stress_runner import TALK
from tunnelconform.subject import Nature
from tunnelconform.subject_runner import CommandRunner, reference_runner
from tunnelconform.suite import Result, run
from tunnelspec.limits import DEFAULT

ROOT = Path(__file__).parents[2]
JAVASCRIPT = ROOT / "conformance" / "examples" / "runner.mjs"
WALKS = 25


def cases(*ids: str) -> tuple[Case, ...]:
    """Those of that ids, or all."""
    every = stress("runner", reference_runner().limits, 0, WALKS)
    found = tuple(case for case in every if not ids or case.id in ids)
    assert len(found) == len(ids) or not ids
    return found


def javascript(source: Path = JAVASCRIPT) -> CommandRunner:
    return CommandRunner(["sh", "-c", f"cd {ROOT / 'tests/node'} && exec node {source}"], DEFAULT, spares=1)


async def held(subject: CommandRunner, some: Sequence[Case]) -> tuple[Result, ...]:
    await subject.start()
    try:

        async def play(case: Case, goal: frozenset[str]) -> Played:
            async with subject.hub(case.alone) as hub:
                return await RunnerPlay(hub, subject.limits, case.conversation, goal, case.lenient).run()

        nature = Nature(subject.limits, spares=subject.spares)
        return await run(some, nature, play, subject.alive, lambda result: None, nature.side_by_side)
    finally:
        await subject.stop()


async def with_hub(subject: CommandRunner, work: Callable[[Hub], Awaitable[None]]) -> None:
    try:
        await work(await subject.start())
    finally:
        await subject.stop()


def failures(results: Sequence[Result]) -> list[str]:
    return [r.case.id for r in results if r.verdict in (Verdict.FAIL, Verdict.ERROR)]


@pytest.mark.parametrize("make", [lambda: reference_runner(spares=1), javascript], ids=["reference", "javascript"])
def test_runners_that_are_right_pass(make: Callable[[], CommandRunner]) -> None:
    """Faults and walks, and a gateway that does not read; without the floods, which take their time."""
    some = [case for case in cases() if not case.heavy][::11] + list(cases("CONN-R-07/slow-reader"))
    results = asyncio.run(held(make(), some))
    assert failures(results) == []
    assert sum(r.verdict is Verdict.PASS for r in results) > 0.9 * len(some)


def test_the_index_wraps() -> None:
    """ACK-R-05: 66,136 messages on one socket, and what is known of them when the actor has slept."""
    (found,) = asyncio.run(held(reference_runner(), cases("ACK-R-05/wrap-around")))
    assert found.verdict is Verdict.PASS


BROKEN = [
    ("acks-for-strangers", "if (kind === 4) {", "if (!adapter && kind === 5) send(tunnel(request, id, [0]))\n  if (kind === 4) {",
     "ACK-R-21/unknown-socket-at-05"),
    ("opens-nobody", "if (!actor || (", "if (actor && (", "CONN-R-06/unknown-actor-at-05"),
    ("acks-after-a-gap", "& 65535) === 1)", "& 65535) < 32768 && index !== this.received)", "ACK-R-07/brought-ahead-at-05"),
    ("gives-twice", "<= WINDOW) this.ack(id)", "<= WINDOW) { this.ack(id); this.give(index, text, binary) }",
     "ACK-R-06/brought-again-at-08"),
    ("closes-with-its-link", "&& this.hibernates) this.lose()", "&& this.hibernates) { this.conclude(1006, \"\"); this.lose() }",
     "CONN-R-16/gateway-replaced-at-06"),
    ("counts-what-is-not-numbered", "if (this.mode === \"plain\") {", "if (this.mode === \"plain\" && index === 0) {",
     "ACK-R-09/any-index-plain-at-06"),
    ("dies-of-garbage", "catch { /* what is not a frame is skipped */ }", "catch { socket.close() }", "LINK-R-13/garbled-at-05"),
    ("never-wraps", "(((index - this.received) & 65535) === 1)", "(index - this.received === 1)", "ACK-R-05/wrap-around"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "case"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
def test_a_broken_runner_is_noticed(right: str, wrong: str, case: str, tmp_path: Path) -> None:
    """The runner in JavaScript with one thing wrong: the case that is named fails."""
    source = JAVASCRIPT.read_text(encoding="utf-8")
    assert right in source
    path = tmp_path / "runner.mjs"
    path.write_text(source.replace(right, wrong, 1), encoding="utf-8")
    (found,) = asyncio.run(held(javascript(path), cases(case)))
    assert found.verdict is Verdict.FAIL, found.why


def test_a_link_may_break_at_any_step_and_be_replaced_at_any() -> None:
    """CONN-R-16: before each step of the conversation there is a case of each way to lose the link."""
    ids = {case.id for case in cases()}
    for fault in ("link-broken", "link-closed", "gateway-replaced"):
        assert {f"CONN-R-16/{fault}-at-{place:02}" for place in range(2, len(TALK) + 1)} <= ids


def test_a_script_shows_a_runner_s_failure_without_us(tmp_path: Path) -> None:
    """ACK-R-07: it runs with nothing but ``websockets``, fails with the broken runner as the suite did, and not with a good one."""
    conversation: Conversation = (talk.Start(), talk.Open(), talk.Bring(index=1, text="send r"), talk.Bring(index=3))
    deviant = reference_runner(options=("--deviation", "acks-what-it-drops"))
    path, shown = tmp_path / "alone.py", list[str]()

    async def work(hub: Hub) -> None:
        played = await RunnerPlay(hub, deviant.limits, conversation).run()
        assert signature(played) is not None
        assert can_write("runner", conversation)
        path.write_text(runner_script("ACK-R-07/live", played, deviant.command, "", deviant.limits), encoding="utf-8")

    asyncio.run(with_hub(deviant, work))
    python = bare_python(tmp_path / "bare")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    for command in ([], ["sh", "-c", f"cd {ROOT / 'tests/node'} && exec node {JAVASCRIPT}"]):
        alone = subprocess.run(
            [python, str(path), *command], capture_output=True, text=True, env=environment, timeout=60
        )
        shown.append(f"{alone.returncode} {alone.stdout.splitlines()[-2] if alone.stdout else alone.stderr}")
    assert shown == [
        "1 not allowed was TunnelAck of step 4: it came",
        "0 not allowed was TunnelAck of step 4: it did not come",
    ]


def bare_python(folder: Path) -> str:
    """A Python that has ``websockets``, and nothing else that is not its own."""
    venv.create(folder, symlinks=True)
    site = next(folder.glob("lib/python*/site-packages"))
    shutil.copytree(Path(websockets.__file__).parent, site / "websockets", ignore=shutil.ignore_patterns("__pycache__"))
    python = str(folder / "bin" / Path(sys.executable).name)
    missing = subprocess.run([python, "-c", "import tunnelspec"], capture_output=True)
    assert missing.returncode
    return python
