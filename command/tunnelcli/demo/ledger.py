"""The demo's actor: it writes down what it is told, so that nothing can be lost, doubled or swapped unseen."""

from __future__ import annotations

from tunnelref.runner.actor import Actor, Socket


class Ledger(Actor):
    """Appends each message to its durable state, and says how many it has. ``sleep`` lets it sleep."""

    def on_message(self, socket: Socket, data: str | bytes) -> None:
        text = data if isinstance(data, str) else data.decode()
        self.state["entries"] = [*self.state.get("entries", []), text]
        socket.send(f"{text} is entry {len(self.state['entries'])}")
        if text == "sleep":
            self.sleep()
