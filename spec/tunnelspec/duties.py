"""What each step of an endpoint owes: the properties that mutants of the tables asked for.

They are as ``properties`` has them, of the same world. Those say what the protocol promises to a client and an actor; these say
what a gateway and a runner must do in each step so that it can: what they ack, tell, keep and report. Each is here because a
fault in a table went unnoticed without it.
"""

from __future__ import annotations

from tunnelspec.duties_gateway import GATEWAY_DUTIES
from tunnelspec.duties_inbox import INBOX_DUTIES
from tunnelspec.duties_runner import RUNNER_DUTIES
from tunnelspec.duties_tries import TRY_DUTIES
from tunnelspec.properties import Property

DUTIES: tuple[Property, ...] = (*GATEWAY_DUTIES, *TRY_DUTIES, *RUNNER_DUTIES, *INBOX_DUTIES)
"""All of them."""
