"""The command lines of the active suite, and the subjects that they name."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

from tunnelconform.profiles import PROFILES
from tunnelconform.subject import GatewaySubject
from tunnelconform.subject_engine import SHORT_ENGINE, EngineGateway
from tunnelconform.subject_line import LineGateway
from tunnelconform.subject_reference import SHORT, ReferenceGateway
from tunnelconform.subject_runner import SHORT_RUNNER, CommandRunner, reference_runner
from tunnelconform.subject_urls import UrlGateway
from tunnelspec.limits import DEFAULT, Limits

SPARES = 6
"""So many runners are started beside the one that most conversations share."""

CODES = (
    "exit codes: 0 no case failed; 1 one did; 2 wrong use, or no case was selected; 3 with --strict, one was inconclusive;\n"
    "4 the subject is not to be had, or died; 5 the baseline has an entry that no longer fails"
)


def add_gateway(kinds: Any, run: Any) -> None:
    """``conform gateway``."""
    parser = kinds.add_parser(
        "gateway",
        help="test a gateway",
        description="Plays client and runners against a gateway, in conversations that are derived from the tables, and judges "
        "each thing it says and each silence by them.",
        epilog="examples:\n  tunnelspec conform gateway --subject reference --only 'ACK-G-*'\n"
        "  tunnelspec conform gateway --adapter 'python my_adapter.py' --html report.html --junit report.xml\n\n"
        f"{CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--subject", default="reference", metavar="NAME", help="reference (default), or engine: the production engine"
    )
    parser.add_argument("--adapter", metavar="COMMAND", help="a program that answers the line protocol")
    parser.add_argument("--client", metavar="URL", help="where clients connect; {actor} stands for an actor's name")
    parser.add_argument("--runner", metavar="URL", help="where runners connect, without a query")
    parser.add_argument(
        "--http", metavar="URL", help="where plain requests go, with {actor} likewise; without it, none are sent"
    )
    parser.add_argument(
        "--option", action="append", default=[], metavar="WORD", help="a further argument for the reference"
    )
    _common(parser)
    parser.set_defaults(run=run)


def add_runner(kinds: Any, run: Any) -> None:
    """``conform runner``."""
    parser = kinds.add_parser(
        "runner",
        help="test a runner",
        description="Plays gateway and client against a runner that hosts the test actor (see conformance/README.md), in "
        "conversations that are derived from the tables.",
        epilog="examples:\n  tunnelspec conform runner --command 'node my-runner.mjs'\n"
        "  tunnelspec conform runner --listen 127.0.0.1:7001 --html report.html --junit report.xml\n\n"
        "The runner finds the URL that it is to dial in TUNNELSPEC_GATEWAY, or where {url} stands in the command.\n\n"
        f"{CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whom = parser.add_mutually_exclusive_group()
    whom.add_argument("--subject", default="reference", metavar="NAME", help="reference (default)")
    whom.add_argument("--command", metavar="COMMAND", help="start this program; it is the runner")
    whom.add_argument("--listen", metavar="HOST:PORT", help="wait there for a runner that somebody else starts")
    parser.add_argument(
        "--spares", type=int, default=SPARES, metavar="N",
        help="start so many more of it, for conversations that break the link; 0: they are held one after the other (default "
        "%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--option", action="append", default=[], metavar="WORD", help="a further argument for the reference"
    )
    _common(parser)
    parser.set_defaults(run=run)


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--default-limits", action="store_true", help="a subject of ours with its own, not shortened, limits"
    )
    parser.add_argument(
        "--limit", action="append", default=[], metavar="NAME=N", help="a limit that the subject was started with"
    )
    parser.add_argument(
        "--unsupported", action="append", default=[], metavar="PATTERN", help="cases about what the subject does not do"
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="PATTERN", help="cases whose id matches: 'ACK-*'"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the random walks (default %(default)s)")
    parser.add_argument(
        "--walks", type=int, default=100, metavar="N", help="how many random walks (default %(default)s)"
    )
    parser.add_argument(
        "--budget", type=seconds, metavar="TIME", help="go on with random walks until so much time has passed: 5m"
    )
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="run each case so many times")
    parser.add_argument(
        "--baseline", type=Path, metavar="FILE", help="JSON: cases that are expected to fail -> the reason"
    )
    parser.add_argument("--profile", choices=PROFILES, default="none", help="a difference of design that is excused")
    parser.add_argument("--strict", action="store_true", help="an inconclusive case counts: exit 3")
    parser.add_argument(
        "--no-shrink", dest="shrink", action="store_false", help="do not make failing conversations shorter"
    )
    parser.add_argument(
        "--scripts", type=Path, metavar="FOLDER", help="write failing conversations as standalone scripts"
    )
    parser.add_argument("--list", action="store_true", help="print the cases, and the transitions that none can reach")
    parser.add_argument("--json", action="store_true", help="print the results as one JSON object")
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="write the results as one HTML page that needs no network"
    )
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write the results as JUnit XML")
    parser.add_argument(
        "--draw", action="append", default=[], metavar="PATTERN",
        help="draw the conversations of these cases too, not only of those that did not pass: '*'",
    )  # fmt: skip
    parser.add_argument("--verbose", action="store_true", help="print a line for each case, also for those that pass")


CHOOSE = ("subject", "adapter", "client", "runner", "http", "command", "listen", "option", "limit", "unsupported", "default_limits",
          "spares", "profile", "seed", "walks")  # fmt: skip
"""The arguments that decide which subject is tested, and which cases there are."""

USUAL: dict[str, Any] = {"subject": "reference", "profile": "none", "seed": 0, "walks": 100, "spares": SPARES}


def again(role: str, args: argparse.Namespace) -> str:
    """The command that runs cases against the same subject again; which cases, ``--only`` says."""
    words = ["tunnelspec", "conform", role]
    for name in CHOOSE:
        value = getattr(args, name, None)
        flag = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(flag)
        elif value not in (None, False, USUAL.get(name)):
            words += [f"{flag}={one}" for one in (value if isinstance(value, list) else [value])]
    return shlex.join(words)


def seconds(text: str) -> float:
    """``90``, ``90s``, ``5m`` or ``1h`` in seconds. Raises ``ValueError``, which argparse reports."""
    units = {"s": 1, "m": 60, "h": 3_600}
    return float(text[:-1]) * units[text[-1]] if text[-1:] in units else float(text)


def limits_of(settings: list[str], base: Limits = DEFAULT) -> Limits:
    """The limits that ``--limit NAME=N`` says. Raises ``ValueError``."""
    chosen: dict[str, int] = {}
    known = {name for name, *_ in DEFAULT.describe()}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if name not in known or not equals or not value.isdigit():
            raise ValueError(f"--limit {setting!r}: expected NAME=N, NAME one of {', '.join(sorted(known))}")
        chosen[name] = int(value)
    return replace(base, **chosen)


def gateway_subject(args: argparse.Namespace) -> GatewaySubject:
    """The gateway that the arguments name. Raises ``ValueError``."""
    if args.adapter:
        return LineGateway(shlex.split(args.adapter))
    if args.client or args.runner:
        if not (args.client and args.runner):
            raise ValueError("--client and --runner go together")
        return UrlGateway(args.client, args.runner, limits_of(args.limit), args.http or "")
    if args.subject == "engine":
        return EngineGateway({} if args.default_limits else SHORT_ENGINE)
    if args.subject != "reference":
        raise ValueError(
            f"there is no subject {args.subject!r}; there are reference and engine, --adapter and --client"
        )
    return ReferenceGateway({} if args.default_limits else SHORT, args.option)


def runner_subject(args: argparse.Namespace) -> CommandRunner:
    """The runner that the arguments name. Raises ``ValueError``."""
    if args.command:
        return CommandRunner(shlex.split(args.command), limits_of(args.limit), spares=args.spares)
    if args.listen:
        return CommandRunner([], limits_of(args.limit), args.listen)
    if args.subject != "reference":
        raise ValueError(f"there is no subject {args.subject!r}; there are reference, --command and --listen")
    return reference_runner({} if args.default_limits else SHORT_RUNNER, args.option, args.spares)
