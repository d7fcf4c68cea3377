"""The explorer's page in Chromium: until it is ready, and from a key to the picture of the step.

    python bench/page.py [--json] [--page FILE]

Times are in milliseconds, by the clock; of a step also by the page's own thread, which a busy machine does not lengthen. The page
must be ready within a second, and a step take at most 50 ms.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main() -> int:
    """0 when measured, 4 when there is no browser, or no page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--page", type=Path, metavar="FILE", help="an exported page (default: export one)")
    args = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        print("no Chromium to measure in", file=sys.stderr)
        return 4
    with tempfile.TemporaryDirectory() as folder:
        page = args.page
        if page is None:
            page = Path(folder) / "explore.html"
            command = [sys.executable, "-m", "tunnelcli.main", "explore", "--export", str(page)]
            if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
                return 4
        command = ["node", str(ROOT / "bench" / "page.mjs"), str(page), chromium]
        measured = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout)
        measured["bytes"] = page.stat().st_size
    if args.json:
        print(json.dumps(measured))
        return 0
    print(f"{measured['bytes'] / 1e6:.1f} MB, {measured['worlds']} worlds\n")
    for title, part in (("by the clock", "times"), ("by the page's own thread", "cpu")):
        print(f"{title:<42}  {'median ms':>9}  {'p95 ms':>8}  {'worst ms':>8}")
        for name, (median, most, worst) in measured[part].items():
            print(f"{name:<42}  {median:>9.1f}  {most:>8.1f}  {worst:>8.1f}")
        print()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
