"""What happens in the demo, in order; every step waits for what it is about, and none for a time."""

from __future__ import annotations

import json
import signal
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunnelcli.demo.cast import Player, Record

ACTOR = "ledger.demo"
Narrate = Callable[[str], None]
Hear = Callable[[str, Record], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the durable state says of what the client sent."""

    sent: int
    delivered: int
    lost: int
    duplicated: int
    reordered: int
    wakes: int

    @property
    def holds(self) -> bool:
        return not (self.lost or self.duplicated or self.reordered)


def judge(sent: list[str], entries: list[str], wakes: int) -> Outcome:
    """Compare what was sent with what was applied. ``sent`` has no text twice."""
    first = list(dict.fromkeys(entries))
    expected = [text for text in sent if text in set(entries)]
    known = [text for text in first if text in set(sent)]
    return Outcome(
        sent=len(sent),
        delivered=len(known),
        lost=len(set(sent) - set(entries)),
        duplicated=len(entries) - len(first),
        reordered=sum(a != b for a, b in zip(known, expected, strict=True)),
        wakes=wakes,
    )


@dataclass
class Stage:
    """The processes, and what was sent."""

    hear: Hear
    folder: Path
    players: dict[str, Player] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)
    url: str = ""

    async def gateway(self) -> Player:
        player = await self._start("gateway", "tunnelcli.main", "gateway", "--trace", "-")
        (listening,) = await player.until(lambda r: r.get("event") == "listening")
        self.url = listening["url"]
        return player

    async def runner(self, key: str) -> Player:
        player = await self._start(
            key, "tunnelcli.main", "runner", "--gateway", self.url, "--key", key, "--db", str(self.folder / "actors.sqlite"),
            "--actor", "tunnelcli.demo.ledger:Ledger",
        )  # fmt: skip
        await self.players["gateway"].until(lambda r: r.get("event") == "runner_joined" and r["runner"] == key)
        return player

    async def client(self, name: str) -> Player:
        player = await self._start(name, "tunnelcli.demo.client", f"{self.url}/ws/{ACTOR}")
        await player.until(lambda r: r.get("event") == "connected")
        return player

    def say(self, client: Player, *texts: str) -> None:
        for text in texts:
            self.sent.append(text)
            client.say(f"say {text}")

    async def answers(self, client: Player) -> None:
        """Wait until everything sent so far has been answered."""
        for text in self.sent:
            await client.until(lambda r, text=text: str(r.get("text", "")).startswith(f"{text} is entry"))  # type: ignore[misc]

    def entries(self) -> list[str]:
        """What the actor's durable state has."""
        with sqlite3.connect(self.folder / "actors.sqlite") as database:
            (text,) = database.execute("SELECT state FROM actors WHERE id = ?", (ACTOR,)).fetchone()
        return list((json.loads(text) or {}).get("entries", []))

    async def end(self) -> None:
        for player in reversed(self.players.values()):
            player.signal(signal.SIGCONT)
            await player.end()

    async def _start(self, name: str, *arguments: str) -> Player:
        self.players[name] = await Player.start(name, self.hear, *arguments)
        return self.players[name]


def frames(what: str, **fields: Any) -> Callable[[Record], bool]:
    """A trace record of that kind, with these fields."""
    return lambda r: r.get("what") == what and all(r.get(name) == value for name, value in fields.items())


async def play(narrate: Narrate, hear: Hear) -> Outcome:
    """The whole story. Raises ``CastError`` if it gets stuck."""
    with tempfile.TemporaryDirectory(prefix="tunnelspec-demo-") as folder:
        stage = Stage(hear, Path(folder))
        try:
            await _acts(stage, narrate)
            opens = [r for r in stage.players["gateway"].records if frames("ToServerWebSocketOpen")(r)]
            return judge(stage.sent, stage.entries(), wakes=len(opens) - 2)  # two clients opened for the first time
        finally:
            await stage.end()


async def _acts(stage: Stage, narrate: Narrate) -> None:
    gateway = await stage.gateway()
    runners = {key: await stage.runner(key) for key in ("runner-a", "runner-b")}

    async def owner() -> str:
        (*_, last) = await gateway.until(frames("ToServerWebSocketOpen"))
        return str(last["runner"])

    async def act(title: str, body: Awaitable[None]) -> None:
        narrate(title)
        await body

    alice = await stage.client("client")

    async def awake() -> None:
        stage.say(alice, "one", "two", "three")
        await stage.answers(alice)
        await gateway.until(lambda r: frames("ToServerWebSocketMessageAck")(r) and _index(r) == len(stage.sent))

    async def asleep() -> None:
        stage.say(alice, "sleep")
        await gateway.until(frames("ToServerWebSocketClose"))

    async def wakes() -> None:
        stage.say(alice, "four", "five", "six")
        await stage.answers(alice)
        await gateway.until(lambda r: frames("ToServerWebSocketMessageAck")(r) and _index(r) == len(stage.sent))

    async def killed() -> None:
        key = await owner()
        runners[key].signal(signal.SIGSTOP)  # alive and deaf: what is sent now is never acked
        sent = len([r for r in gateway.records if frames("ToClientWebSocketMessage")(r)])
        stage.say(alice, "seven", "eight", "nine")
        await gateway.until(frames("ToClientWebSocketMessage"), sent + 3)
        narrate(f"{key} is killed with three unacked messages")
        runners[key].signal(signal.SIGKILL)
        await stage.answers(alice)

    async def leaves() -> None:
        bob = await stage.client("second client")
        await gateway.until(frames("connect"), 2)
        closes = len([r for r in gateway.records if frames("ToClientWebSocketClose")(r)])
        await gateway.until(lambda r: frames("ToServerWebSocketOpen")(r) and r["request"] == _last_request(gateway))
        bob.signal(signal.SIGKILL)
        await gateway.until(frames("ToClientWebSocketClose"), closes + 1)

    async def ends() -> None:
        closes = len([r for r in gateway.records if frames("ToClientWebSocketClose")(r)])
        alice.say("close 1000 thank you")
        await gateway.until(frames("ToClientWebSocketClose"), closes + 1)
        await alice.until(lambda r: r.get("event") == "closed")

    await act("a client speaks to an actor", awake())
    await act("the actor goes to sleep", asleep())
    await act("messages while it sleeps: it wakes on the other runner", wakes())
    await act("a runner stops answering", killed())
    await act("a second client comes, and goes away without a word", leaves())
    await act("the client closes", ends())


def _index(record: Record) -> int:
    """The index of a message ack's record."""
    kind = record["frame"]["ToServerTunnelMessage"]["messageKind"]["ToServerWebSocketMessageAck"]
    return int(kind["index"])


def _last_request(gateway: Player) -> str:
    (*_, last) = [r for r in gateway.records if frames("connect")(r)]
    return str(last["request"])
