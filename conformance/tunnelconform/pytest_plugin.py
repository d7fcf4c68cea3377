"""The suite inside your own tests: each case is a test of its own, named by its transition.

Opt in with ``pytest_plugins = ["tunnelconform.pytest_plugin"]`` in the top-level ``conftest.py``, then::

    @pytest.mark.conformance("gateway --adapter 'python my_adapter.py' --only 'ACK-G-*'")
    def test_my_gateway(conformance):
        conformance.check()

The marker's text is what one would write after ``tunnelspec conform``. The subject is started when the tests are collected, for its
adapter tells its limits, and stopped at the end. The first test to ask starts all cases that are to run, side by side; each test
then waits for its own.
"""

from __future__ import annotations

import argparse
import asyncio
import shlex
import threading
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future
from contextlib import AsyncExitStack
from typing import Any, NoReturn, TypeVar

import pytest

from tunnelconform import baseline
from tunnelconform.active import MOST_SHRUNK, shortest
from tunnelconform.arguments import add_gateway, add_runner, again
from tunnelconform.cases import Case, selected
from tunnelconform.played import Verdict
from tunnelconform.session import Session, opened
from tunnelconform.shrink import signature
from tunnelconform.subject import SubjectError
from tunnelconform.suite import Result
from tunnelconform.terminal import shown

WIDTH = 100
MARK = "conformance"
Asked = tuple[str, Case]
T = TypeVar("T")


THE_COMMANDS: Mapping[str, object] = {
    "repeat": 1,
    "budget": None,
    "list": False,
    "json": False,
    "html": None,
    "junit": None,
    "draw": [],
    "scripts": None,
}
"""What the command alone can do, and its value where it is not asked for: pytest repeats, selects and reports in its own way."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


def heeded(args: argparse.Namespace) -> argparse.Namespace:
    """The same arguments. Raises ``ValueError`` if one of them would do nothing here."""
    for name, without in THE_COMMANDS.items():
        if getattr(args, name) != without:
            raise ValueError(f"--{name} is for 'tunnelspec conform'; here, pytest repeats, selects and reports")
    return args


def parsed(text: str) -> argparse.Namespace:
    """The marker's text as the command's arguments. Raises ``ValueError``."""
    parser = _Parser(prog="conformance", add_help=False)
    kinds = parser.add_subparsers(dest="role", required=True)
    add_gateway(kinds, None)
    add_runner(kinds, None)
    return parser.parse_args(shlex.split(text))


class Loop:
    """An event loop in a thread of its own, in which subjects live from one test to the next."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="conformance", daemon=True)
        self._thread.start()
        self._ready.wait()

    async def _run(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        await self._over.wait()

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.start(work).result()

    def close(self) -> None:
        """What is still at work is cancelled."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()


class Suite:
    """The cases of one marker, and its subject while it runs."""

    def __init__(self, text: str, loop: Loop) -> None:
        self.args = heeded(parsed(text))
        self.expected = baseline.read(self.args.baseline) if self.args.baseline else {}
        self._loop, self._open = loop, AsyncExitStack()
        self.session: Session = loop.do(self._open.enter_async_context(opened(self.args.role, self.args)))
        self.cases = selected(self.session.every, self.args.only)
        if not self.cases:
            raise ValueError(f"no case matches {' '.join(self.args.only)}")
        self._known: dict[str, Future[Result]] = {}
        self._shrunk: set[Any] = set()

    def run(self, cases: tuple[Case, ...]) -> None:
        """Start these cases, side by side."""
        self._known |= {case.id: Future() for case in cases}

        def done(result: Result) -> None:
            self._known[result.case.id].set_result(result)

        def over(ran: Future[Any]) -> None:
            error = ran.exception() or SubjectError("the suite ended before the case")
            for case in cases:
                if not self._known[case.id].done():
                    self._known[case.id].set_exception(error)

        self._loop.start(self.session.results(cases, done)).add_done_callback(over)

    def result(self, case: Case, wanted: tuple[Case, ...]) -> Result:
        """What a case showed. The first to ask starts all that are ``wanted``."""
        if case.id not in self._known:
            self.run(wanted)
        return self.session.graded(self._known[case.id].result(), self.expected, self.args.strict)

    def explained(self, result: Result) -> str:
        """Why a case failed: its conversation, shrunk unless one that is alike was, and what was allowed instead."""
        assert result.played is not None
        way = signature(result.played)
        wanted = self.args.shrink and way not in self._shrunk and len(self._shrunk) < MOST_SHRUNK
        self._shrunk.add(way)
        played = self._loop.do(shortest(result, self.session, wanted)).played
        run = f"run it again: {again(self.args.role, self.args)} --only {shlex.quote(result.case.id)}"
        return "\n".join([f"{result.case.id}: {result.case.says}", *shown(result.case, played, False, WIDTH), run])

    def close(self) -> None:
        self._loop.do(self._open.aclose())


class Conformance:
    """One case and what it showed."""

    def __init__(self, suite: Suite, case: Case, result: Result) -> None:
        self.suite, self.case, self.result = suite, case, result

    def check(self) -> None:
        """Passes, fails with the explanation, or skips (inconclusive, unsupported) with the reason; an excused failure is an
        expected one. Under ``--strict`` an inconclusive case fails."""
        verdict, why = self.result.verdict, self.result.why
        if self.result.excused:
            pytest.xfail(self.result.excused)
        if verdict is Verdict.FAIL:
            pytest.fail(self.suite.explained(self.result), pytrace=False)
        if verdict is Verdict.INCONCLUSIVE and self.result.counts:
            pytest.fail(f"{self.case.id}: inconclusive: {why}", pytrace=False)
        if verdict is not Verdict.PASS:
            # the one outcome of pytest that is neither: a case of the user's subject that was not decided must not look passed
            pytest.skip(f"{verdict.value}: {why}")


class Plugin:
    """Keeps the suites of a run; those of markers that are alike are one."""

    def __init__(self) -> None:
        self._loop: Loop | None = None
        self.suites: dict[str, Suite] = {}
        self.wanted: dict[str, dict[Case, None]] = {}

    def suite(self, text: str) -> Suite:
        self._loop = self._loop or Loop()
        if text not in self.suites:
            self.suites[text] = Suite(text, self._loop)
        return self.suites[text]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Each case becomes a test."""
        marker = metafunc.definition.get_closest_marker(MARK)
        if "conformance" not in metafunc.fixturenames:
            return
        if marker is None or len(marker.args) != 1:
            raise pytest.UsageError(f"{metafunc.definition.nodeid}: mark it with @pytest.mark.conformance('gateway …')")
        try:
            suite = self.suite(marker.args[0])
        except (ValueError, SubjectError, OSError) as error:
            raise pytest.UsageError(f"{metafunc.definition.nodeid}: conformance: {error}") from error
        asked = [pytest.param((marker.args[0], case), id=case.id) for case in suite.cases]
        metafunc.parametrize("conformance", asked, indirect=True)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """What is left after every ``-k``. A worker of xdist runs a part of it, nobody knows which: there, each case alone."""
        if hasattr(session.config, "workerinput"):
            return
        for item in session.items:
            if (
                isinstance(item, pytest.Function)
                and hasattr(item, "callspec")
                and "conformance" in item.callspec.params
            ):
                asked: Asked = item.callspec.params["conformance"]  # type: ignore[assignment]
                self.wanted.setdefault(asked[0], {})[asked[1]] = None

    @pytest.fixture
    def conformance(self, request: pytest.FixtureRequest) -> Conformance:
        """The case of this test, and what it showed. A subject that died is an error, not a failure."""
        asked: Asked = request.param
        text, case = asked
        suite = self.suites[text]
        result = suite.result(case, tuple(self.wanted.get(text, (case,))))
        if result.verdict is Verdict.ERROR:
            raise SubjectError(f"{case.id}: {result.why}")
        return Conformance(suite, case, result)

    def pytest_unconfigure(self) -> None:
        """Every subject is stopped."""
        for suite in self.suites.values():
            suite.close()
        if self._loop is not None:
            self._loop.close()


def pytest_configure(config: pytest.Config) -> None:
    """Registers the marker and what keeps the suites."""
    config.addinivalue_line("markers", f"{MARK}(arguments): the conformance suite, as after 'tunnelspec conform'")
    config.pluginmanager.register(Plugin(), "tunnelconform")
