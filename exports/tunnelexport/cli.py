"""``tunnelspec export``: the tables for other tools, one kind of export a sub-command."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tunneldraw.mermaid import machine_mermaid
from tunneldraw.picture import Picture
from tunneldraw.render import Status, check, write
from tunnelexport import scxml, tables, xstate
from tunnelexport.promela.cli import add_promela
from tunnelspec.endpoint import MACHINES
from tunnelspec.machine import Machine

STALE, WRONG_USE = 5, 2
FOLDER = Path(__file__).resolve().parent.parent
"""Where the committed exports are."""

VECTORS = FOLDER.parent / "conformance" / "vectors"
IDS = tuple(machine.id for machine in MACHINES)
Files = Mapping[str, str]


def add_parsers(subparsers: Any) -> None:
    """The command, and its kinds."""
    export = subparsers.add_parser(
        "export",
        help="write the tables down for other tools",
        description="Writes the tables in the form of another tool, guards and effects included.",
        epilog="example: tunnelspec export xstate --machine ACK-G -o /tmp/charts",
    )
    kinds = export.add_subparsers(dest="kind", metavar="KIND", required=True)
    whole = _kind(
        kinds,
        "json",
        "the tables as JSON, with a schema",
        "Every state, event, transition, limit, type and frame as one JSON object; tables.schema.json says what is in it.",
        "example: tunnelspec export json --machine CONN-G | jq '.machines[].transitions[].id'",
        lambda machines: {"tables.json": tables.text(machines)},
    )
    whole.add_argument("--schema", action="store_true", help="print the JSON schema instead")
    whole.add_argument("--check", action="store_true", help="write nothing; fail if what is committed is stale")
    whole.set_defaults(run=run_json)
    _kind(
        kinds,
        "scxml",
        "state charts of the W3C (SCXML), complete with guards and effects",
        "One document a machine, with the ECMAScript data model.",
        "example: tunnelspec export scxml --machine ACK-G -o ack-g.scxml",
        _each(scxml.files),
    )
    _kind(
        kinds,
        "xstate",
        "state charts for XState v5: JSON, and guards and actions as a module",
        "Two files a machine: the configuration as JSON, which names its guards and actions, and a module that has them. "
        "Without -o DIR the JSON alone is printed.",
        "example: tunnelspec export xstate -o charts\n"
        "  import { setup } from 'xstate'\n"
        "  import { implementations } from './charts/ack-g.mjs'\n"
        "  setup(implementations).createMachine(JSON.parse(fs.readFileSync('charts/ack-g.json')))",
        _each(xstate.files),
    )
    _kind(
        kinds,
        "mermaid",
        "diagrams as text, for pages that draw them (GitHub does)",
        "One state diagram a machine; the same as in diagrams/.",
        "example: tunnelspec export mermaid --machine HIB-G",
        _each(lambda machine: {f"{machine.id.lower()}.mmd": machine_mermaid(Picture(machine))}),
    )
    vectors = kinds.add_parser(
        "vectors",
        help="test vectors for implementations in any language",
        description="Frames, serial numbers, steps of the tables, runs of an endpoint and whole conversations, as JSON with a "
        "schema: conformance/vectors/, whose README says how to use them.",
        epilog="example: tunnelspec export vectors -o /tmp/vectors\n\n"
        "exit codes: 0 done, or current; 2 wrong use; 5 a committed file is stale",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    vectors.add_argument(
        "-o", "--output", metavar="DIR", type=Path, help="the folder (default, in a checkout: conformance/vectors/)"
    )
    vectors.add_argument("--check", action="store_true", help="write nothing; name each file that is stale")
    vectors.add_argument("--json", action="store_true", help="print the files and their status as one JSON object")
    vectors.set_defaults(run=run_vectors)
    add_promela(kinds)


def _each(files: Callable[[Machine], Files]) -> Callable[[tuple[Machine, ...]], Files]:
    return lambda machines: {name: text for machine in machines for name, text in files(machine).items()}


def _kind(
    kinds: Any, name: str, what: str, description: str, example: str, files: Callable[[tuple[Machine, ...]], Files]
) -> argparse.ArgumentParser:
    """The parser of one kind, whose files come from these machines."""
    parser: argparse.ArgumentParser = kinds.add_parser(
        name,
        help=what,
        description=description,
        epilog=f"{example}\n\nexit codes: 0 done; 2 wrong use; 5 a committed file is stale",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--machine", metavar="ID", choices=IDS, help="one machine: " + ", ".join(IDS))
    parser.add_argument("-o", "--output", metavar="FILE|DIR", type=Path, help="where to (default: standard output)")
    parser.set_defaults(run=run, files=files)
    return parser


def chosen(args: argparse.Namespace) -> tuple[Machine, ...]:
    """The machines that were asked for."""
    return tuple(machine for machine in MACHINES if args.machine in (None, machine.id))


def run(args: argparse.Namespace) -> int:
    """0 if written, 2 if the files do not go where they were told to."""
    return put(args.files(chosen(args)), args.output)


def run_json(args: argparse.Namespace) -> int:
    """0 if written or current, 2 for wrong use, 5 if ``--check`` found a difference."""
    if args.check:
        if args.machine or args.schema:
            print("tunnelspec export json: --check goes with -o DIR alone", file=sys.stderr)
            return WRONG_USE
        return checked(args.output or FOLDER, tables.files(), "tunnelspec export json -o exports")
    if args.schema:
        return put({tables.SCHEMA.name: tables.files()[tables.SCHEMA.name]}, args.output)
    if args.output is not None and _is_folder(args.output) and not args.machine:
        return put(tables.files(), args.output)
    return run(args)


def run_vectors(args: argparse.Namespace) -> int:
    """0 if written or current, 2 for wrong use, 5 if ``--check`` found a difference."""
    from tunnelexport.vectors.files import files  # they take a second to make

    folder = args.output or VECTORS
    if args.output is None and not VECTORS.is_dir():
        print("tunnelspec export vectors: outside a checkout of tunnelspec, -o DIR says where to", file=sys.stderr)
        return WRONG_USE
    if args.check:
        return checked(folder, files(), "tunnelspec export vectors", as_json=args.json)
    return put(files(), folder)


def put(files: Files, output: Path | None) -> int:
    """Print one file, or write all: into a folder, or one under the name given."""
    if output is None:
        documents = [text for name, text in files.items() if not name.endswith(".mjs")]
        if len(documents) > 1:
            print(f"tunnelspec export: {len(files)} files need -o DIR, or --machine ID", file=sys.stderr)
            return WRONG_USE
        sys.stdout.write(documents[0])
        return 0
    try:
        if _is_folder(output):
            write(output, files, whole=False)
        elif len(files) == 1:
            output.write_text(next(iter(files.values())), encoding="utf-8")
        else:
            print(f"tunnelspec export: {output}: {len(files)} files need a folder", file=sys.stderr)
            return WRONG_USE
    except OSError as error:
        print(f"tunnelspec export: {output}: {error.strerror}", file=sys.stderr)
        return WRONG_USE
    print(f"{len(files)} file{'s' * (len(files) > 1)} in {output}", file=sys.stderr)
    return 0


def checked(folder: Path, files: Files, remedy: str, *, as_json: bool = False) -> int:
    """Compare a folder with what it must hold: 0 if it does, 5 otherwise."""
    found = check(folder, files, whole=False)
    changed = [file for file in found if file.status is not Status.CURRENT]
    if as_json:
        listed = [{"name": file.name, "status": file.status.value} for file in found]
        print(json.dumps({"verdict": "stale" if changed else "current", "folder": str(folder), "files": listed}))
        return STALE if changed else 0
    for file in changed:
        print(f"{file.status.value}: {folder / file.name}")
    if changed:
        print(f"{len(changed)} of {len(found)} files differ from the tables; run: {remedy}")
        return STALE
    print(f"{len(found)} files are current")
    return 0


def _is_folder(path: Path) -> bool:
    return path.is_dir() or (not path.exists() and not path.suffix)
