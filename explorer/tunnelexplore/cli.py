"""``tunnelspec explore``: the explorer's page, served, written, or compared with what is committed."""

from __future__ import annotations

import argparse
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tunneldraw.svg import Undrawable
from tunnelexplore import cache, digests
from tunnelexplore.atlas import by_name
from tunnelexplore.page import Packed, TooLarge, pack_all, page
from tunnelexplore.tours import Tour, TourError, read_all
from tunnelexplore.world import Unplayable

LESSONS = Path(__file__).resolve().parents[2] / "spec" / "lessons"
WRONG, FAILED, STALE = 2, 4, 5


def add_parsers(subparsers: Any) -> None:
    """The command."""
    explore = subparsers.add_parser(
        "explore",
        help="explore the protocol in a browser",
        description="Makes one HTML file, which needs no network: every reachable state of small worlds, to be walked step by "
        "step, by the specification or by any deviation from it. Serves it on 127.0.0.1, or writes it to a file.",
        epilog="examples: tunnelspec explore; tunnelspec explore --export explore.html; "
        "tunnelspec explore --export small.html --worlds sleep wrap~replay-stops\n\n"
        "exit codes: 0 done, or current; 2 wrong use; 4 a tour or a picture could not be made; 5 what is committed is stale",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    explore.add_argument("--export", metavar="FILE", type=Path, help="write the page there")
    explore.add_argument(
        "--check", action="store_true", help="write nothing; name what differs from FILE, or from explorer/digests.json"
    )
    explore.add_argument("--pin", action="store_true", help="write explorer/digests.json anew")
    explore.add_argument(
        "--worlds", metavar="WORLD[~DEVIATION]", nargs="+", default=[], help="only these, and the tours'"
    )
    explore.add_argument(
        "--lessons", metavar="DIR", type=Path, default=LESSONS, help="where the tours are (default: spec/lessons)"
    )
    explore.add_argument("--port", type=int, default=0, help="serve on this port (default: a free one)")
    explore.add_argument("--json", action="store_true", help="print what was done as one JSON object")
    explore.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 done or current, 2 wrong use, 4 failed, 5 stale."""
    try:
        only = by_name(args.worlds)
    except ValueError as error:
        print(f"tunnelspec explore: --worlds {error}", file=sys.stderr)
        return WRONG
    if only and (args.pin or (args.check and args.export is None)):
        print("tunnelspec explore: digests are of the whole page, without --worlds", file=sys.stderr)
        return WRONG
    try:
        if args.export is None and not args.check and not args.pin:
            return serve(_cached(args), args.port)
        tours = read_all(args.lessons)
        packed = pack_all(tours, only, _Meter(visible=sys.stderr.isatty() and not args.json))
        made = page(packed, tours)
        if args.check and args.export is not None:
            return _compare_file(args, made)
        if args.check or args.pin:
            return _compare_digests(args, packed, tours, len(made.encode()))
        args.export.write_text(made, encoding="utf-8")
    except (TourError, Unplayable, Undrawable, TooLarge, OSError) as error:
        print(f"tunnelspec explore: {error}", file=sys.stderr)
        return FAILED
    size = args.export.stat().st_size
    _say(args, {"verdict": "written", "file": str(args.export), "bytes": size, "worlds": len(packed), "tours": len(tours)},
         f"{args.export}: {size / 1e6:.1f} MB, {len(packed)} world(s), {len(tours)} tour(s)")  # fmt: skip
    return 0


def _compare_file(args: argparse.Namespace, made: str) -> int:
    present = args.export.read_bytes() if args.export.exists() else None
    code = 0 if present == made.encode() else STALE
    status = "current" if not code else "missing" if present is None else "stale"
    again = f"; run: tunnelspec explore --export {args.export}" if code else ""
    _say(args, {"verdict": status, "file": str(args.export)}, f"{args.export} is {status}{again}")
    return code


def _compare_digests(args: argparse.Namespace, packed: Packed, tours: tuple[Tour, ...], size: int) -> int:
    found = digests.digests(packed, tours)
    differ = digests.stale(digests.FILE, found)
    if args.pin:
        if differ:
            digests.FILE.write_text(digests.text(found, size), encoding="utf-8")
        _say(
            args,
            {"verdict": "written", "changed": differ, "bytes": size},
            f"{len(differ)} of {len(found)} digests changed",
        )
        return 0
    verdict = "stale" if differ else "current"
    lines = [f"stale: {key}" for key in differ]
    lines.append(
        f"{len(differ)} parts of the page differ from the tables; run: tunnelspec explore --pin"
        if differ
        else f"{len(found)} digests are current; the page has {size / 1e6:.1f} MB"
    )
    _say(args, {"verdict": verdict, "stale": differ, "bytes": size}, "\n".join(lines))
    return STALE if differ else 0


def _say(args: argparse.Namespace, data: dict[str, Any], text: str) -> None:
    print(json.dumps(data) if args.json else text)


class _Meter:
    """Progress while it lasts."""

    def __init__(self, visible: bool) -> None:
        self._visible, self._began = visible, time.monotonic()

    def __call__(self, done: int, total: int, key: str) -> None:
        if self._visible:
            seconds = time.monotonic() - self._began
            left = seconds / done * (total - done)
            end = "\r\x1b[K" if done == total else ""
            told = f"{done} of {total} worlds, {done / seconds:.1f}/s, {left:.0f} s left: {key}"
            print(f"\r\x1b[K{told}{end}", end="", file=sys.stderr, flush=True)


# -- serving -----------------------------------------------------------------------------------------------------------


def _cached(args: argparse.Namespace) -> str:
    """The page, made if it is not the one that was made last."""
    lessons = args.lessons.glob("*.json") if args.lessons.is_dir() else ()
    path = cache.folder() / cache.name(lessons, args.worlds)
    if path.exists():
        return path.read_text(encoding="utf-8")
    print("exploring the worlds; this takes half a minute, once", file=sys.stderr)
    tours = read_all(args.lessons)
    made = page(pack_all(tours, by_name(args.worlds), _Meter(sys.stderr.isatty())), tours)
    cache.keep(path, made)
    return made


def serve(content: str, port: int) -> int:
    """Serve the page on the loopback address, until it is interrupted."""
    body = content.encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path.partition("?")[0] == "/"
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8" if found else "text/plain")
            answer = body if found else b"there is one page: /\n"
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        print(f"http://127.0.0.1:{server.server_address[1]}/  (Ctrl-C ends it)", flush=True)
        server.serve_forever()
    return 0
