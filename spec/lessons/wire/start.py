"""The heart of a runner, to be written: ``cp spec/lessons/wire/start.py my_runner.py``. What is here echoes, and is wrong.

What ``self`` can do for you, and what it knows, is said in ``tunnellessons.host.Socket``.
"""

from tunnellessons.host import Socket, run
from tunnelspec.frames import ToServerWebSocketMessageAck, ToServerWebSocketOpen


class Mine(Socket):
    def opened(self, frame):
        """frame: actorId, path, headers. Again under the same request id, if the actor slept or a link broke."""
        self.ack()
        self.say(ToServerWebSocketOpen(True, -1))  # canHibernate, lastMsgIndex

    def arrived(self, frame):
        """frame: index, data, binary."""
        self.ack()
        self.process(frame)
        self.say(ToServerWebSocketMessageAck(frame.index))

    def closed(self, frame):
        """frame: code, reason; either may be None."""
        self.ack()


if __name__ == "__main__":
    run(Mine)
