"""The test actor, for ``tunnelspec runner``: what a runner under test hosts. Its contract is in ``conformance/README.md``.

tunnelspec runner --gateway URL --actor test=tunnelconform.actor:Test --actor plain=tunnelconform.actor:Plain
"""

from __future__ import annotations

from tunnelref.runner.actor import Actor, Socket


class Test(Actor):
    """Does what it is told, a word at a time; each message is committed once it was handled."""

    __test__ = False  # nothing for pytest

    def on_message(self, socket: Socket, data: str | bytes) -> None:
        text = data if isinstance(data, str) else data.decode(errors="replace")
        self.state["count"] = self.state.get("count", 0) + 1
        if text.startswith("send "):
            socket.send(text.removeprefix("send "))
        elif text == "state":
            socket.send(str(self.state["count"]))
        elif text == "sleep":
            self.sleep()
        elif text.startswith("close "):
            code, _, reason = text.removeprefix("close ").partition(" ")
            socket.close(int(code), reason)


class Plain(Test):
    """The same, for sockets that cannot hibernate."""

    hibernates = False
