"""Properties of runners' links (K), in their own world (``cable``).

They are as ``properties`` has them: a sentence, ``holds`` and ``could``, of every state, step or end of their own world.
"""

from __future__ import annotations

from typing import Any

from tunnelspec.cable import PING, STOPPING, Actors, Cable, Dialler, Directory, Hub
from tunnelspec.events import (
    BadFrame,
    LinkDown,
    PassOn,
    PingDue,
    Relay,
    Replaced,
    RunnerStops,
    SetTimer,
    Silence,
)
from tunnelspec.frames import (
    ToClientAckEvents,
    ToClientCommands,
    ToClientInit,
    ToServerAckCommands,
    ToServerEvents,
    ToServerInit,
    ToServerKvRequest,
    ToServerPing,
    ToServerStopping,
)
from tunnelspec.machine import Received
from tunnelspec.properties import CENTRE, Property, Said, Scope, breaks_no_rule, hears, hears_something
from tunnelspec.system import Bounds

# -- links -----------------------------------------------------------------------------------------------------------


def hub(gateway: Hub) -> str:
    """The state of the gateway's end of the newest link."""
    return gateway.machines[0].state


def admits_who_is_ready(b: Bounds, client: Directory, gateway: Hub, store: Any, budget: Any) -> bool:
    return client.admitted == (hub(gateway) == "ready")


def is_admitted(b: Bounds, client: Directory, gateway: Hub, store: Any, budget: Any) -> bool:
    return client.admitted


def hub_is_timed(b: Bounds, client: Directory, gateway: Hub, store: Any, budget: Any) -> bool:
    return gateway.joining == (hub(gateway) == "joining") and gateway.listening == (
        hub(gateway) in ("ready", "draining")
    )


def hub_waits(b: Bounds, client: Directory, gateway: Hub, store: Any, budget: Any) -> bool:
    return gateway.joining or gateway.listening


def tells_requests_once(b: Bounds, client: Directory, gateway: Hub, store: Any, budget: Any) -> bool:
    return (
        gateway.relayed <= 1
        and (gateway.relayed == 1) >= (hub(gateway) == "gone" and gateway.welcomed)
        and (gateway.relayed == 0 or hub(gateway) == "gone")
    )


def link_is_gone(b: Bounds, client: Directory, gateway: Hub, store: Any, budget: Any) -> bool:
    return gateway.welcomed and hub(gateway) == "gone"


def hub_ends_whole(b: Bounds, client: Directory, gateway: Hub, store: Any, budget: Any) -> bool:
    return gateway.freed == (hub(gateway) == "gone")


def hangs_up_what_it_leaves(b: Bounds, gateway: Hub, line: Cable, runner: Dialler) -> bool:
    return hub(gateway) != "gone" or gateway.hung_up or line.gateway_knows


def link_has_gone(b: Bounds, gateway: Hub, line: Cable, runner: Dialler) -> bool:
    return hub(gateway) == "gone"


def welcomes_once(b: Bounds, client: Directory, gateway: Hub, store: Any, budget: Any) -> bool:
    return gateway.welcomed or hub(gateway) not in ("ready", "draining")


def dialler_is_timed(b: Bounds, runner: Dialler, line: Cable, host: Actors) -> bool:
    return (
        runner.redialling == (runner.machines[0].state == "idle")
        and (runner.machines[0].state != "gone" or (runner.freed and not runner.pinging))
        and (runner.machines[0].state in ("ready", "stopping") or not runner.pinging)
        and (runner.machines[0].state != "ready" or runner.pinging)
    )


def dialler_waits(b: Bounds, runner: Dialler, line: Cable, host: Actors) -> bool:
    return runner.redialling or runner.pinging


def dials_really(b: Bounds, runner: Dialler, line: Cable, host: Actors) -> bool:
    return not is_dialling(b, runner, line, host) or line.phase in ("dialled", "accepted")


def is_dialling(b: Bounds, runner: Dialler, line: Cable, host: Actors) -> bool:
    return runner.machines[0].state == "dialing"


def dials_one(b: Bounds, runner: Dialler, line: Cable, host: Actors) -> bool:
    return runner.machines[0].state not in ("joining", "ready") or line.phase == "open"


def has_socket(b: Bounds, runner: Dialler, line: Cable, host: Actors) -> bool:
    return runner.machines[0].state in ("joining", "ready")


def noise_changes_nothing(b: Bounds, before: Any, heard: Any, after: Any, *said: Said) -> bool:
    return not hears_noise(b, before, heard, after, *said) or (
        after.machines == before.machines and (said[-2] != ()) == (before.machines[0].state != "gone")
    )


def hears_noise(b: Bounds, before: Any, heard: Any, after: Any, *said: Said) -> bool:
    return isinstance(heard, BadFrame)


def hub_passes_on(b: Bounds, before: Hub, heard: Any, after: Hub, *said: Said) -> bool:
    return not for_directory(b, before, heard, after, *said) or said[1] == (PassOn(heard.frame),)


def for_directory(b: Bounds, before: Hub, heard: Any, after: Hub, *said: Said) -> bool:
    return hub(before) in ("ready", "draining") and (
        hears(heard, ToServerEvents) or hears(heard, ToServerAckCommands) or hears(heard, ToServerKvRequest)
    )


def stays_for_what_it_hears(b: Bounds, before: Hub, heard: Any, after: Hub, *said: Said) -> bool:
    return not hears_frame(b, before, heard, after, *said) or hub(after) == (
        "draining" if hears(heard, ToServerStopping) else hub(before)
    )


def hears_frame(b: Bounds, before: Hub, heard: Any, after: Hub, *said: Said) -> bool:
    return isinstance(heard, Received) and hub(before) in ("ready", "draining")


def ping_is_life(b: Bounds, before: Hub, heard: Any, after: Hub, *said: Said) -> bool:
    return not pings_hub(b, before, heard, after, *said) or any(
        isinstance(output, SetTimer) and output.event is Silence for output in said[1]
    )


def pings_hub(b: Bounds, before: Hub, heard: Any, after: Hub, *said: Said) -> bool:
    return hears(heard, ToServerPing) and hub(before) in ("ready", "draining")


def gives_up_the_silent(b: Bounds, before: Hub, heard: Any, after: Hub, *said: Said) -> bool:
    return not is_silent(b, before, heard, after, *said) or (hub(after) == "gone" and after.hung_up)


def is_silent(b: Bounds, before: Hub, heard: Any, after: Hub, *said: Said) -> bool:
    return isinstance(heard, Silence)


def gives_up_the_replaced(b: Bounds, before: Hub, heard: Any, after: Hub, *said: Said) -> bool:
    return not is_replaced(b, before, heard, after, *said) or (hub(after) == "gone" and len(said[0]) > 0)


def is_replaced(b: Bounds, before: Hub, heard: Any, after: Hub, *said: Said) -> bool:
    return isinstance(heard, Replaced) and hub(before) in ("ready", "draining")


def forgives_a_second_stop(b: Bounds, before: Hub, heard: Any, after: Hub, *said: Said) -> bool:
    return not stops_again(b, before, heard, after, *said) or (said[-2] == () and after.machines == before.machines)


def stops_again(b: Bounds, before: Hub, heard: Any, after: Hub, *said: Said) -> bool:
    return hears(heard, ToServerStopping) and hub(before) == "draining"


def dialler_passes_on(b: Bounds, before: Dialler, heard: Any, after: Dialler, *said: Said) -> bool:
    return not for_host(b, before, heard, after, *said) or PassOn(heard.frame) in said[1]


def for_host(b: Bounds, before: Dialler, heard: Any, after: Dialler, *said: Said) -> bool:
    return (
        before.machines[0].state in ("ready", "stopping")
        and (hears(heard, ToClientCommands) or hears(heard, ToClientAckEvents))
    ) or (before.machines[0].state == "joining" and hears(heard, ToClientInit))


def tells_sockets(b: Bounds, before: Dialler, heard: Any, after: Dialler, *said: Said) -> bool:
    return any(isinstance(output, Relay) for output in said[1]) == loses_link(b, before, heard, after, *said)


def loses_link(b: Bounds, before: Dialler, heard: Any, after: Dialler, *said: Said) -> bool:
    return isinstance(heard, LinkDown) and before.machines[0].state not in ("idle", "gone")


def shows_life(b: Bounds, before: Dialler, heard: Any, after: Dialler, *said: Said) -> bool:
    return not ping_is_due(b, before, heard, after, *said) or PING in said[0]


def ping_is_due(b: Bounds, before: Dialler, heard: Any, after: Dialler, *said: Said) -> bool:
    return isinstance(heard, PingDue) and before.machines[0].state in ("ready", "stopping")


def says_that_it_stops(b: Bounds, before: Dialler, heard: Any, after: Dialler, *said: Said) -> bool:
    return not stops_while_ready(b, before, heard, after, *said) or STOPPING in said[0]


def stops_while_ready(b: Bounds, before: Dialler, heard: Any, after: Dialler, *said: Said) -> bool:
    return isinstance(heard, RunnerStops) and before.machines[0].state == "ready"


def reports_stranger(b: Bounds, before: Hub, heard: Any, after: Hub, *said: Said) -> bool:
    return not is_out_of_turn(b, before, heard, after, *said) or said[-2] != ()


def is_out_of_turn(b: Bounds, before: Hub, heard: Any, after: Hub, *said: Said) -> bool:
    return isinstance(heard, Received) and (
        (hub(before) in ("connecting", "joining") and not hears(heard, ToServerInit))
        or (hub(before) in ("ready", "draining") and hears(heard, ToServerInit))
    )


def runner_reports(b: Bounds, before: Dialler, heard: Any, after: Dialler, *said: Said) -> bool:
    return not gateway_out_of_turn(b, before, heard, after, *said) or said[-2] != ()


def gateway_out_of_turn(b: Bounds, before: Dialler, heard: Any, after: Dialler, *said: Said) -> bool:
    return (
        before.machines[0].state in ("dialing", "joining")
        and (hears(heard, ToClientCommands) or hears(heard, ToClientAckEvents))
    ) or (before.machines[0].state == "ready" and hears(heard, ToClientInit))


def stops_when_told(b: Bounds, gateway: Hub, line: Cable, runner: Dialler) -> bool:
    return not runner.told or runner.machines[0].state == "gone"


def is_told(b: Bounds, gateway: Hub, line: Cable, runner: Dialler) -> bool:
    return runner.told


def actors_stop_first(b: Bounds, runner: Dialler, line: Cable, host: Actors) -> bool:
    return not host.run or not runner.told


def told_to_stop(b: Bounds, runner: Dialler, line: Cable, host: Actors) -> bool:
    return runner.told


def both_or_neither(b: Bounds, gateway: Hub, line: Cable, runner: Dialler) -> bool:
    return (runner.machines[0].state == "ready") <= (hub(gateway) == "ready") and (
        runner.machines[0].state != "gone" or hub(gateway) in ("connecting", "gone")
    )


def are_linked(b: Bounds, gateway: Hub, line: Cable, runner: Dialler) -> bool:
    return runner.machines[0].state in ("ready", "gone")


ENDS = ("gateway", "line_a", "runner_a")
DIAL = ("runner_a", "line_a", "host_a")

LINK_PROPERTIES: tuple[Property, ...] = (
    Property("K-ADMIT", "Actors are routed to a runner that has introduced itself, and is neither stopping nor gone.",
             Scope.STATE, CENTRE, admits_who_is_ready, is_admitted, honest=False),
    Property("K-TIMED", "The gateway waits for a runner with a timer, and only then.",
             Scope.STATE, CENTRE, hub_is_timed, hub_waits, honest=False),
    Property("K-TOLD", "When a link is gone, its requests are told once.",
             Scope.STATE, CENTRE, tells_requests_once, link_is_gone, honest=False),
    Property("K-WHOLE", "A link that is gone is freed, and no other.",
             Scope.STATE, CENTRE, hub_ends_whole, link_is_gone, honest=False),
    Property("K-WELCOME", "A runner is welcomed before it is given anything.",
             Scope.STATE, CENTRE, welcomes_once, is_admitted, honest=False),
    Property("K-TIMED-R", "A runner that is down dials again, and one that is up shows that it lives.",
             Scope.STATE, DIAL, dialler_is_timed, dialler_waits, honest=False),
    Property("K-DIAL", "A runner that takes itself to be dialling is.",
             Scope.STATE, DIAL, dials_really, is_dialling, honest=False),
    Property("K-ONE", "A runner that takes itself for linked has a socket.",
             Scope.STATE, DIAL, dials_one, has_socket, honest=False),
    Property("K-NOISE", "What is no frame is reported, and changes nothing.",
             Scope.STEP, ("gateway",), noise_changes_nothing, hears_noise, honest=False),
    Property("K-NOISE-R", "The same, at the runner.",
             Scope.STEP, ("runner",), noise_changes_nothing, hears_noise, honest=False),
    Property("K-PASS", "What concerns the directory is passed on as it came.",
             Scope.STEP, ("gateway",), hub_passes_on, for_directory, honest=False),
    Property("K-STAY", "What a runner says does not end its link.",
             Scope.STEP, ("gateway",), stays_for_what_it_hears, hears_frame, honest=False),
    Property("K-LIFE", "A ping puts the end of patience off.",
             Scope.STEP, ("gateway",), ping_is_life, pings_hub, honest=False),
    Property("K-SILENT", "A silent runner is given up, and its socket closed.",
             Scope.STEP, ("gateway",), gives_up_the_silent, is_silent, honest=False),
    Property("K-REPLACED", "A link whose runner dials again is given up, and its socket closed.",
             Scope.STEP, ("gateway",), gives_up_the_replaced, is_replaced, honest=False),
    Property("K-STOP-AGAIN", "A runner that says again that it stops is not blamed.",
             Scope.STEP, ("gateway",), forgives_a_second_stop, stops_again, honest=False),
    Property("K-PASS-R", "What concerns the runner's host is passed on as it came.",
             Scope.STEP, ("runner",), dialler_passes_on, for_host, honest=False),
    Property("K-TOLD-R", "When its link is lost, a runner tells its sockets, and not otherwise.",
             Scope.STEP, ("runner",), tells_sockets, loses_link, honest=False),
    Property("K-PING", "A runner that is to show that it lives sends a ping.",
             Scope.STEP, ("runner",), shows_life, ping_is_due, honest=False),
    Property("K-SAY", "A runner that stops says so first.",
             Scope.STEP, ("runner",), says_that_it_stops, stops_while_ready, honest=False),
    Property("K-TURN", "A runner that speaks before it introduced itself, or introduces itself again, is reported.",
             Scope.STEP, ("gateway",), reports_stranger, is_out_of_turn, honest=False),
    Property("K-TURN-R", "A gateway that speaks before it welcomed, or welcomes again, is reported.",
             Scope.STEP, ("runner",), runner_reports, gateway_out_of_turn, honest=False),
    Property("K-HONEST-R", "A runner that follows the tables never breaks a rule of the gateway's.",
             Scope.STEP, ("gateway",), breaks_no_rule, hears_something),
    Property("K-HONEST-G", "A gateway that follows the tables never breaks a rule of the runner's.",
             Scope.STEP, ("runner",), breaks_no_rule, hears_something),
    Property("K-HANG-UP", "In the end, a gateway that has given a link up has closed its socket.",
             Scope.END, ENDS, hangs_up_what_it_leaves, link_has_gone, honest=False),
    Property("K-STOP", "In the end, a runner that was told to stop is gone.",
             Scope.END, ENDS, stops_when_told, is_told, honest=False),
    Property("K-ACTORS", "In the end, a runner that was told to stop has stopped its actors.",
             Scope.END, DIAL, actors_stop_first, told_to_stop, honest=False),
    Property("K-AGREE", "In the end, both ends take the link for up, or neither does.",
             Scope.END, ENDS, both_or_neither, are_linked),
)  # fmt: skip
"""Of a runner's own link."""
