"""``tunnelspec gateway`` and ``tunnelspec runner``: the reference as processes."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import ipaddress
import json
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

from tunnelcli.settings import add_limits, limits_from
from tunnelref.clock import LoopClock
from tunnelref.collector import relax
from tunnelref.gateway.core import Gateway
from tunnelref.gateway.http import HttpServer
from tunnelref.gateway.server import GatewayServer
from tunnelref.logs import JsonLog
from tunnelref.runner.actor import Actor
from tunnelref.runner.client import RunnerClient
from tunnelref.runner.store import Store
from tunnelref.tracing import TraceWriter
from tunnelref.wire.version import SUPPORTED
from tunnelspec.deviations import Deviation, depart, named
from tunnelspec.endpoint import TABLES, Tables
from tunnelspec.limits import Limits


def add_parsers(subparsers: Any) -> None:
    """The two commands."""
    gateway = subparsers.add_parser(
        "gateway",
        help="run the reference gateway",
        description="Runs the reference gateway: clients and runners on one port, plain HTTP requests on a second.",
        epilog="example: tunnelspec gateway --port 8080",
    )
    gateway.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    gateway.add_argument(
        "--port", type=int, default=0, help="port for WebSockets, /health and /metrics (default: a free one)"
    )
    gateway.add_argument("--http-port", type=int, default=0, help="port for requests to actors (default: a free one)")
    gateway.add_argument("--token", help="what runners must present; needed to listen beyond loopback")
    gateway.add_argument(
        "--trace", metavar="FILE", help="write every frame as JSON Lines to FILE (- for standard output)"
    )
    add_departures(gateway)
    add_limits(gateway)
    gateway.set_defaults(run=run_gateway)

    runner = subparsers.add_parser(
        "runner",
        help="run the reference runner",
        description="Runs a runner that dials a gateway and hosts actors.",
        epilog="example: tunnelspec runner --gateway ws://127.0.0.1:8080 --actor tunnelref.runner.examples:Counter",
    )
    runner.add_argument("--gateway", required=True, metavar="URL", help="ws://HOST:PORT of the gateway")
    runner.add_argument("--actor", required=True, action="append", metavar="[NAME=]MODULE:CLASS",
                        help="an actor class to host; may be repeated; its name is the class's in lower case")  # fmt: skip
    runner.add_argument("--key", default="runner", help="the runner's key: a second runner with it replaces the first")
    runner.add_argument("--namespace", default="default")
    runner.add_argument("--token", help="what the gateway wants")
    runner.add_argument(
        "--db", default=":memory:", metavar="FILE", help="SQLite file of the actors' state (default: none)"
    )
    runner.add_argument("--slots", type=int, default=1_000, help="how many actors it takes")
    runner.add_argument(
        "--protocol", type=int, default=2, choices=SUPPORTED, help="protocol version (default %(default)s)"
    )
    add_departures(runner)
    add_limits(runner)
    runner.set_defaults(run=run_runner)


def add_departures(parser: argparse.ArgumentParser) -> None:
    """The flag by which a command runs other tables than the specification's."""
    parser.add_argument(
        "--deviation",
        nargs="+",
        metavar="NAME",
        default=[],
        help="depart from the specification, to test what is to notice it, or to teach; the log says so. "
        "'tunnelspec check --list' names them; without-TRANSITION deletes that line of the tables",
    )


def departures(args: argparse.Namespace) -> tuple[tuple[Deviation, ...], Tables, Limits]:
    """What the arguments depart by, and the tables and limits that come of it. Raises ``ValueError``."""
    deviations = tuple(named(name) for name in args.deviation)
    return (deviations, *depart(TABLES, limits_from(args), deviations))


def confess(log: JsonLog, deviations: Sequence[Deviation]) -> None:
    """Say in the log what is not as specified."""
    for deviation in deviations:
        log("departs_from_specification", deviation=deviation.id, says=deviation.says)


def load_actor(text: str) -> tuple[str, type[Actor]]:
    """The name and class that ``[NAME=]MODULE:CLASS`` names. Raises ``ValueError`` that says what is wrong."""
    name, _, where = text.rpartition("=")
    module_name, colon, class_name = where.partition(":")
    if not colon:
        raise ValueError(f"--actor {text!r}: expected [NAME=]MODULE:CLASS")
    try:
        found = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"--actor {text!r}: {error}") from error
    if not (isinstance(found, type) and issubclass(found, Actor)):
        raise ValueError(f"--actor {text!r}: {class_name} is not a subclass of tunnelref.runner.actor.Actor")
    return name or class_name.lower(), found


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def run_gateway(args: argparse.Namespace) -> int:
    """0 once it was told to stop, 2 for wrong use, 4 if it cannot listen."""
    if args.token is None and not is_loopback(args.host):
        print(f"tunnelspec gateway: --host {args.host} is not loopback: that needs --token", file=sys.stderr)
        return 2
    try:
        deviations, tables, limits = departures(args)
    except ValueError as error:
        print(f"tunnelspec gateway: {error}", file=sys.stderr)
        return 2
    return _main(_gateway(args, deviations, tables, limits))


async def _gateway(args: argparse.Namespace, deviations: Sequence[Deviation], tables: Tables, limits: Limits) -> int:
    log = JsonLog("gateway")
    confess(log, deviations)
    trace = TraceWriter(args.trace) if args.trace else None
    gateway = Gateway(LoopClock(), limits, log, trace, tables=tables)
    sockets, requests = GatewayServer(gateway, args.token), HttpServer(gateway)
    try:
        port = await sockets.start(args.host, args.port)
        http_port = await requests.start(args.host, args.http_port)
    except OSError as error:
        print(f"tunnelspec gateway: cannot listen: {error}", file=sys.stderr)
        return 4
    url = f"ws://{args.host}:{port}"
    listening = {"event": "listening", "url": url, "http": f"http://{args.host}:{http_port}"}
    print(json.dumps(listening | ({"deviations": args.deviation} if deviations else {})), flush=True)
    await stopped()
    await requests.stop()
    await sockets.stop()
    if trace is not None:
        trace.close()
    return 0


def run_runner(args: argparse.Namespace) -> int:
    """0 once it was told to stop, 2 for wrong use."""
    try:
        deviations, tables, limits = departures(args)
        classes = dict(load_actor(text) for text in args.actor)
    except ValueError as error:
        print(f"tunnelspec runner: {error}", file=sys.stderr)
        return 2
    return _main(_runner(args, deviations, tables, limits, classes))


async def _runner(
    args: argparse.Namespace,
    deviations: Sequence[Deviation],
    tables: Tables,
    limits: Limits,
    classes: dict[str, type[Actor]],
) -> int:
    store, log = Store(args.db), JsonLog(args.key)
    confess(log, deviations)
    client = RunnerClient(
        args.gateway, classes, store, limits, log, args.key, args.namespace, args.token,
        version=args.protocol, slots=args.slots, tables=tables,
    )  # fmt: skip
    stop = asyncio.ensure_future(stopped())
    await asyncio.wait((stop, asyncio.ensure_future(client.gone.wait())), return_when=asyncio.FIRST_COMPLETED)
    client.stop()
    await client.gone.wait()
    stop.cancel()
    store.close()
    return 0


async def stopped() -> None:
    """Wait for SIGTERM or Ctrl-C."""
    event = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, event.set)
    await event.wait()


def _main(work: Any) -> int:
    run: Callable[[Any], int] = asyncio.run
    relax()
    return run(work)
