"""``tunnelspec decode`` and ``tunnelspec encode``: one frame, from bytes to JSON and back.

Exit status: 0 done; 1 the bytes, or the JSON, are not a frame; 2 wrong use, such as digits that are not hex.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any, cast

from tunnelref.wire.compiled import LATEST, codec
from tunnelref.wire.errors import JsonError, WireError
from tunnelref.wire.text import Json, from_json, to_json
from tunnelref.wire.version import SUPPORTED
from tunnelspec.frames import ToClient, ToServer

DONE, NOT_A_FRAME, WRONG_USE = 0, 1, 2

_DIRECTIONS = "to-server: sent by a runner; to-client: sent by a gateway"
_DECODE_EXAMPLE = """example:
  $ tunnelspec decode to-server "06 000102030405060708090a0b0c0d0e0f 101112131415161718191a1b1c1d1e1f 06 0700"
  {
    "ToServerTunnelMessage": {
      "requestId": "000102030405060708090a0b0c0d0e0f",
      "messageId": "101112131415161718191a1b1c1d1e1f",
      "messageKind": {
        "ToServerWebSocketMessageAck": {
          "index": 7
        }
      }
    }
  }

exit status: 0 decoded, 1 the bytes are not a frame (standard error names frame, field and offset), 2 wrong use"""
_ENCODE_EXAMPLE = """example:
  $ tunnelspec encode to-server '{"ToServerPing": {"ts": 5}}'
  040500000000000000

exit status: 0 encoded, 1 the JSON does not describe a frame (standard error names the place), 2 wrong use"""


def add_parsers(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the two sub-commands. Each sets ``run``: a function of the parsed arguments that returns the exit status."""
    decode = _parser(subparsers, "decode", "print a frame's bytes as JSON", _DECODE_EXAMPLE)
    decode.add_argument(
        "hex", metavar="HEX", help="the frame in hex digits, white space allowed; - reads standard input"
    )
    decode.set_defaults(run=decode_command)
    encode = _parser(subparsers, "encode", "print the bytes, in hex, of a frame given as JSON", _ENCODE_EXAMPLE)
    encode.add_argument("json", metavar="JSON", help="the frame as decode prints it; - reads standard input")
    encode.set_defaults(run=encode_command)


def _parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], name: str, what: str, example: str
) -> argparse.ArgumentParser:
    parser = subparsers.add_parser(
        name,
        help=what,
        description=f"{what[0].upper()}{what[1:]}.",
        epilog=example,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", type=int, choices=SUPPORTED, default=LATEST, help="the protocol's version (default: %(default)s)"
    )
    parser.add_argument("direction", choices=("to-server", "to-client"), help=_DIRECTIONS)
    return parser


def decode_command(args: argparse.Namespace) -> int:
    """Prints the JSON of the frame in ``args.hex``. Returns the exit status."""
    try:
        data = bytes.fromhex(_text(args.hex))
    except ValueError as error:
        return _fail("decode", f"HEX is not hex digits: {error}", WRONG_USE)
    wire = codec(args.version)
    try:
        frame: ToServer | ToClient = (
            wire.decode_to_server(data) if args.direction == "to-server" else wire.decode_to_client(data)
        )
    except WireError as error:
        return _fail("decode", str(error), NOT_A_FRAME)
    print(json.dumps(to_json(frame), indent=2))
    return DONE


def encode_command(args: argparse.Namespace) -> int:
    """Prints the bytes of the frame in ``args.json``, in hex. Returns the exit status."""
    try:
        parsed = cast("Json", json.loads(_text(args.json), object_pairs_hook=_object))
    except (ValueError, RecursionError) as error:
        return _fail("encode", f"JSON is not JSON: {error}", WRONG_USE)
    wire = codec(args.version)
    try:
        frame = from_json(parsed)
        encode: Any = wire.encode_to_server if args.direction == "to-server" else wire.encode_to_client
        print(encode(frame).hex())
    except (JsonError, WireError) as error:
        return _fail("encode", str(error), NOT_A_FRAME)
    return DONE


def _text(argument: str) -> str:
    return sys.stdin.read() if argument == "-" else argument


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; ``json`` alone would keep the last of two values for one key, and say nothing."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object's key comes twice")
    return found


def _fail(command: str, reason: str, status: int) -> int:
    print(f"tunnelspec {command}: {reason}", file=sys.stderr)
    return status
