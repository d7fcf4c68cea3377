"""Three actors to begin with: an echo, a counter, and a chat room."""

from __future__ import annotations

from tunnelref.runner.actor import Actor, Request, Response, Socket


class Echo(Actor):
    """Says what it hears. ``sleep`` lets it sleep, ``close 4001 reason`` closes the socket."""

    def on_message(self, socket: Socket, data: str | bytes) -> None:
        if data == "sleep":
            self.sleep()
        elif isinstance(data, str) and data.startswith("close "):
            code, _, reason = data.removeprefix("close ").partition(" ")
            socket.close(int(code), reason)
        else:
            socket.send(data)

    def on_request(self, request: Request) -> Response:
        return Response(200, (("content-type", "text/plain"),), request.body or request.path.encode())


class PlainEcho(Echo):
    """The same, for sockets that cannot hibernate."""

    hibernates = False


class Counter(Actor):
    """Counts the messages it gets, durably; answers each with the count."""

    def on_message(self, socket: Socket, data: str | bytes) -> None:
        if data == "sleep":
            self.sleep()
            return
        self.state["count"] = self.state.get("count", 0) + 1
        socket.send(str(self.state["count"]))


class Chat(Actor):
    """A room: what one says, all hear; newcomers get the last ten lines."""

    def on_open(self, socket: Socket) -> None:
        for line in self.state.get("lines", []):
            socket.send(line)

    def on_message(self, socket: Socket, data: str | bytes) -> None:
        line = f"{socket.id[:4]}: {data if isinstance(data, str) else data.hex()}"
        self.state["lines"] = [*self.state.get("lines", []), line][-10:]
        for other in self.sockets:
            other.send(line)
