"""A gateway whose adapter is a program in any language, which answers a line protocol on its standard input and output.

Each request is one line of JSON with ``do``, each answer one line of JSON; an answer with ``error`` says why it cannot be done. The
protocol is written down in ``conformance/README.md``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from tunnelconform.process import Child
from tunnelconform.subject import Door, Nature, Place, SubjectError
from tunnelspec.limits import DEFAULT


class LineGateway:
    """A gateway behind such a program."""

    def __init__(self, command: Sequence[str]) -> None:
        self.name = " ".join(command)
        self._child = Child(command, talks=True)
        self._turn = asyncio.Lock()

    async def _ask(self, do: str, **said: Any) -> dict[str, Any]:
        async with self._turn:
            await self._child.say(json.dumps({"do": do, **said}))
            line = await self._child.line()
        try:
            answer = json.loads(line)
        except ValueError as error:
            raise SubjectError(f"{self.name} answered {do!r} with {line[:100]!r}, which is not JSON") from error
        if not isinstance(answer, dict):
            raise SubjectError(f"{self.name} answered {do!r} with {line[:100]!r}, which is not an object")
        if "error" in answer:
            raise SubjectError(f"{self.name} cannot {do}: {answer['error']}")
        return answer

    async def start(self) -> Nature:
        await self._child.start()
        answer = await self._ask("start")
        known = {f.name for f in fields(DEFAULT)}
        limits = {str(name): int(value) for name, value in dict(answer.get("limits", {})).items()}
        if unknown := sorted(set(limits) - known):
            raise SubjectError(f"{self.name} names limits that there are not: {', '.join(unknown)}")
        self.name = str(answer.get("name", self.name))
        return Nature(
            replace(DEFAULT, **limits),
            {str(pattern): str(why) for pattern, why in dict(answer.get("unsupported", {})).items()},
            bool(answer.get("runner_first", False)),
        )

    async def stop(self) -> None:
        try:
            if self._child.running:
                await self._ask("stop")
        except SubjectError:
            pass  # it is ended in any case
        await self._child.stop()

    async def alive(self) -> bool:
        if not self._child.running:
            return False
        return bool((await self._ask("alive")).get("alive", False))

    async def place(self) -> Place:
        answer = await self._ask("place")
        try:
            return Place(
                str(answer["runner_url"]),
                tuple(map(str, answer.get("runner_protocols", ("rivet", "rivet_target.runner")))),
                str(answer.get("namespace", "default")),
                str(answer.get("runner_name", "tunnelspec")),
                tuple(map(str, answer.get("actor_names", ()))),
                {str(name): str(value) for name, value in dict(answer.get("data", {})).items()},
            )
        except (KeyError, TypeError, ValueError) as error:
            raise SubjectError(f"{self.name} answered 'place' with {answer}: {error!r}") from error

    async def door(self, place: Place) -> Door:
        answer = await self._ask("door", data=dict(place.data))
        if "client_url" not in answer:
            raise SubjectError(f"{self.name} answered 'door' with {answer}: there is no client_url")
        return Door(
            str(answer["client_url"]),
            tuple(map(str, answer.get("client_protocols", ()))),
            request_url=str(answer.get("request_url", "")),
            request_headers=tuple((str(n), str(v)) for n, v in dict(answer.get("request_headers", {})).items()),
        )
