"""The heart of a runner: a solution. The rest of it is in ``tunnellessons.host``."""

from tunnellessons.host import Socket, run
from tunnelspec.frames import ToServerWebSocketMessageAck, ToServerWebSocketOpen

INDICES = 65_536


class Mine(Socket):
    def opened(self, frame):
        self.ack()
        if self.actor is None:
            self.close(1011, "Actor not found")
        elif self.record.closed is not None:
            self.close(*self.record.closed)
        else:
            self.received = max(self.record.last, 0)
            self.say(ToServerWebSocketOpen(self.actor.hibernates, self.record.last))

    def arrived(self, frame):
        ahead = (frame.index - self.received) % INDICES
        if not self.actor.hibernates:  # nothing is numbered
            self.ack()
            self.process(frame)
        elif ahead == 1:
            self.ack()
            self.received = frame.index
            if self.process(frame):
                self.say(ToServerWebSocketMessageAck(frame.index))
        elif ahead == 0 or ahead > INDICES // 2:  # it has been here before
            self.ack()
        else:  # something is missing
            self.replay()

    def closed(self, frame):
        self.record.closed = self.record.closed or (frame.code or 1000, frame.reason or "")
        self.ack()  # not before it is durable
        self.gone()


if __name__ == "__main__":
    run(Mine)
