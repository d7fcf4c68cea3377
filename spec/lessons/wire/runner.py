"""A runner in fifty lines, with an actor that echoes: python runner.py ws://127.0.0.1:8080

What it has seen it keeps in memory: it survives a broken link, but not the end of its process.
"""

import asyncio
import os
import sys
import time

from websockets.asyncio.client import connect

from tunnelref.wire import decode_to_client, encode_to_server, from_json, to_json

QUERY = "/runners/connect?protocol_version=2&namespace=default&runner_key=fifty"
INIT = {
    "name": "fifty",
    "version": 1,
    "totalSlots": 9,
    "lastCommandIdx": None,
    "prepopulateActorNames": None,
    "metadata": None,
}
STATES = {
    "CommandStartActor": {"ActorStateRunning": {}},
    "CommandStopActor": {"ActorStateStopped": {"code": "ok", "message": None}},
}
TUNNEL_ACK = ("TunnelAck", {})
seen = {}  # request id -> the index of the last message that the actor has processed


async def run(gateway):
    async with connect(gateway + QUERY, subprotocols=["rivet", "rivet_target.runner"]) as link:

        async def say(kind, **fields):
            await link.send(encode_to_server(from_json({kind: fields})))

        async def ping():
            while await asyncio.sleep(1, True):
                await say("ToServerPing", ts=time.time_ns() // 1_000_000)

        await say("ToServerInit", **INIT)
        pinging, events = asyncio.create_task(ping()), 0
        async for data in link:
            ((kind, frame),) = to_json(decode_to_client(data)).items()
            for wrapper in frame.get("commands", ()):
                ((command, told),) = wrapper["inner"].items()
                update = {"actorId": told["actorId"], "generation": told["generation"], "state": STATES[command]}
                await say("ToServerEvents", events=[{"index": events, "inner": {"EventActorStateUpdate": update}}])
                await say("ToServerAckCommands", lastCommandIdx=wrapper["index"])
                events += 1
            if kind == "ToClientTunnelMessage":
                request, id_ = frame["requestId"], frame["messageId"]
                for answer, fields in answers(request, *frame["messageKind"].popitem()):
                    own = id_ if answer == "TunnelAck" else os.urandom(16).hex()  # an ack has the id of what it acks
                    await say("ToServerTunnelMessage", requestId=request, messageId=own, messageKind={answer: fields})
        pinging.cancel()


def answers(request, kind, message):
    """What a runner says to one tunnel message."""
    if kind == "ToClientWebSocketOpen":
        return TUNNEL_ACK, ("ToServerWebSocketOpen", {"canHibernate": True, "lastMsgIndex": seen.get(request, -1)})
    if kind == "ToClientWebSocketClose":
        seen.pop(request, None)
        return (TUNNEL_ACK,)
    if kind == "TunnelAck":
        return ()
    ahead = (message["index"] - seen.get(request, 0)) % 65_536
    if ahead == 0 or ahead > 32_767:  # it has been processed before
        return (TUNNEL_ACK,)
    if ahead > 1:  # something is missing: let it be sent again
        return (("ToServerWebSocketClose", {"code": None, "reason": None, "retry": True}),)
    seen[request] = message["index"]
    echo = ("ToServerWebSocketMessage", {"data": message["data"], "binary": message["binary"]})
    return TUNNEL_ACK, echo, ("ToServerWebSocketMessageAck", {"index": message["index"]})


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1]))
