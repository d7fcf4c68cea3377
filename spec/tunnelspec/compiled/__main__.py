"""Prints the compiled tables.

    python -m tunnelspec.compiled gateway socket open,up,live,awake [ClientMessage ...]

The side, the endpoint, where its machines stand, and which events (default: all that it knows). What is left to the interpreter is
said, with the reason.
"""

from __future__ import annotations

import sys

from tunnelspec.compiled import program
from tunnelspec.endpoint import ENDPOINTS, Local
from tunnelspec.limits import DEFAULT


def main(arguments: list[str]) -> int:
    """Print what was asked for; 2 if it does not exist."""
    known = {(str(e.role), e.name): e for e in ENDPOINTS}
    endpoint = known.get(tuple(arguments[:2]))  # type: ignore[arg-type]  # a pair, or nothing is found
    states = arguments[2].split(",") if len(arguments) > 2 else []
    if endpoint is None or len(states) != len(endpoint.machines):
        print(f"{__doc__}\nEndpoints and their states:", file=sys.stderr)
        for (role, name), each in known.items():
            print(f"  {role} {name}", file=sys.stderr)
            for machine in each.machines:
                print(f"    {machine.name}: {', '.join(s.name for s in machine.states)}", file=sys.stderr)
        return 2
    wanted = arguments[3:] or [event.__name__ for event in endpoint.listeners]
    functions = program(endpoint, DEFAULT).at(
        tuple(Local(state, machine.start) for state, machine in zip(states, endpoint.machines, strict=True))
    )
    for event in endpoint.listeners:
        if event.__name__ in wanted:
            functions[event]  # writes it
            head = f"# {endpoint.role} {endpoint.name} in {', '.join(states)}: {event.__name__}"
            print(head, functions.sources.get(event) or f"# interpreted: {functions.refused[event]}\n", sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
