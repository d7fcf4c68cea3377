"""The last exercise: the learner's runner, graded by the page's own command; and over real sockets, the oracle reading along."""

from __future__ import annotations

import ast
import asyncio
import io
import runpy
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from tunnelcli.main import main
from tunnelconform import session
from tunnelconform.passive import judge
from tunnelconform.record import Recorder, proxy
from tunnelconform.recording import parse
from tunnellessons.host import Host
from tunnelref.clock import LoopClock
from tunnelref.gateway.core import Gateway
from tunnelref.gateway.server import GatewayServer
from tunnelspec.limits import DEFAULT

LESSONS = Path(__file__).parents[2] / "spec" / "lessons"
DERIVED = cache(session.runner_cases)
RUNNER, START = LESSONS / "wire" / "runner.py", LESSONS / "wire" / "start.py"


# -- graded ------------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def derived_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cases depend on nothing but the tables and the limits."""
    monkeypatch.setattr(session, "runner_cases", DERIVED)


def graded(path: Path, *only: str) -> int:
    """The page's command."""
    patterns = [word for pattern in only for word in ("--only", pattern)]
    return main(["conform", "runner", "--command", f"{sys.executable} {path}", *patterns])


def test_the_solution_passes(capsys: pytest.CaptureFixture[str]) -> None:
    """ACK-R, as far as no case waits, and a close by either side."""
    assert graded(RUNNER, "ACK-R-0*", "CONN-R-08/*", "CONN-R-13/*") == 0
    assert "fail" not in capsys.readouterr().out
    page = (LESSONS / "wire.md").read_text(encoding="utf-8")
    assert "tunnelspec conform runner --command 'python my_runner.py' --only 'ACK-R-0*'" in page


def test_what_one_starts_with_fails_and_the_shortest_conversation_is_the_first_hint(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """CONN-R-06: a single frame from the gateway, what was said to it, and what should have been."""
    assert graded(START, "ACK-R-01/shut", "ACK-R-06/live", "ACK-R-07/live") == 1
    hints = capsys.readouterr().out.split("\n\nACK-R-")
    assert len(hints) == 4
    assert hints[1].startswith("01/shut\n")
    assert "ToServerWebSocketClose code=1011 reason=Actor not found retry=False\n      CONN-R-06" in hints[1]
    assert "shrunk to 1 step;" in hints[1]


WRONG = {
    "a duplicate is processed again": (
        "elif ahead == 1:", "elif ahead == 1 or ahead == 0 or ahead > INDICES // 2:", "ACK-R-06/live",
        ("ToServerWebSocketMessageAck index=0\n  is not allowed here",),
    ),
    "a gap is not seen": (
        "else:  # something is missing\n            self.replay()", "else:\n            self.ack()", "ACK-R-07/live",
        ("ToServerWebSocketClose code=None reason=None retry=True\n      ACK-R-07",),
    ),
    "a second open is told that nothing was processed": (
        "self.actor.hibernates, self.record.last", "self.actor.hibernates, -1", "ACK-R-01/after-ACK-R-14",
        ("(lastMsgIndex: 1, not -1)", "ACK-R-04"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", WRONG)
def test_a_typical_mistake_gets_a_hint(mistake: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    right, wrong, case, hint = WRONG[mistake]
    source = RUNNER.read_text(encoding="utf-8")
    assert source.count(right) == 1
    path = tmp_path / "my_runner.py"
    path.write_text(source.replace(right, wrong), encoding="utf-8")
    assert graded(path, case) == 1
    told = capsys.readouterr().out
    assert all(words in told for words in hint), told
    assert "shrunk to" in told


def test_a_runner_that_falls_over_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 4, and the end of the traceback."""
    path = tmp_path / "my_runner.py"
    path.write_text(RUNNER.read_text(encoding="utf-8").replace("self.received = frame.index", "self.recieved += 1"))
    assert graded(path, "ACK-R-05/live") == 4
    assert "has no attribute 'recieved'" in capsys.readouterr().err


def test_the_solution_is_some_thirty_lines_without_the_wire() -> None:
    """All else is given: the solution imports the host, and the frames by name."""
    source = RUNNER.read_text(encoding="utf-8")
    tree = ast.parse(source)
    (mine,) = (node for node in tree.body if isinstance(node, ast.ClassDef))
    assert len({node.lineno for node in ast.walk(mine) if isinstance(node, ast.stmt)}) <= 30
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names == {"tunnellessons.host", "tunnelspec.frames"}
    assert not any(isinstance(node, ast.Import) for node in ast.walk(tree))


# -- over real sockets -------------------------------------------------------------------------------------------------


@dataclass
class Stage:
    """A gateway, a proxy that records, and the learner's runner."""

    url: str
    paper: io.StringIO
    gateway: Gateway
    host: Host
    proxied: str

    def dial(self) -> asyncio.Task[None]:
        """The runner connects."""
        return asyncio.create_task(self.host.serve(self.proxied))

    async def joined(self, count: int = 1) -> None:
        """Until so many links are ready."""
        while sum(link.local("link").state == "ready" for link in self.gateway.links.values()) < count:
            await asyncio.sleep(0)

    async def hung_up(self) -> None:
        """Until no link is left."""
        while self.gateway.links:
            await asyncio.sleep(0)


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    gateway, paper = Gateway(LoopClock(), DEFAULT), io.StringIO()
    server = GatewayServer(gateway)
    port = await server.start("127.0.0.1", 0)
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    recorder = Recorder(paper, lambda line: None)
    between = asyncio.create_task(proxy("127.0.0.1:0", f"ws://127.0.0.1:{port}", recorder, ready.set_result))
    here = f"ws://127.0.0.1:{port}"
    try:
        yield Stage(here, paper, gateway, Host(runpy.run_path(str(RUNNER))["Mine"]), f"ws://127.0.0.1:{await ready}")
    finally:
        between.cancel()
        with suppress(asyncio.CancelledError):
            await between
        await server.stop()


async def end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def test_it_echoes_resumes_and_breaks_no_rule() -> None:
    """Messages come back; those sent while it is gone come back after it returned, once; every frame was allowed."""

    async def play() -> str:
        async with stage() as here:
            first = here.dial()
            await here.joined()
            async with connect(f"{here.url}/ws/test.1") as client:
                for word in ("one", "two"):
                    await client.send(f"send {word}")
                    assert await client.recv() == word
                await end(first)
                await here.hung_up()
                await client.send("send three")
                second = here.dial()
                assert await client.recv() == "three"
                await client.send("state")
                assert await client.recv() == "4"
            while here.gateway.entries:
                await asyncio.sleep(0)
            await end(second)
            return here.paper.getvalue()

    recording = tuple(parse(asyncio.run(asyncio.wait_for(play(), 20))))
    judgement = judge(recording)
    assert judgement.verdict == "pass", judgement.breaches
    assert judgement.judged > 20
    assert sum(link.link == 2 for link in recording) > 5  # it dialled twice
