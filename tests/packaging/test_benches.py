"""A bench that does not run measures nothing: each is run once, as small as it can be."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).parents[2] / "bench"
SMALLEST = {
    "codec": ["--rounds", "1"],
    "conform": ["--help"],
    "explore": ["--scenario", "plain", "--seconds", "0.1"],
    "idle": ["--connections", "20"],
    "page": ["--help"],  # the page's own tests drive it in Chromium
    "relay": ["--rounds", "1", "--only", "1x100", "--messages", "100"],
    "steps": ["--rounds", "1", "--machine", "HIB-R"],
}


def figures(value: Any) -> list[float]:
    """Every number in a JSON document."""
    if isinstance(value, dict):
        return [number for item in value.values() for number in figures(item)]
    if isinstance(value, list):
        return [number for item in value for number in figures(item)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


@pytest.mark.parametrize("bench", sorted(path.stem for path in BENCH.glob("*.py")))
def test_a_bench_runs_and_gives_figures(bench: str) -> None:
    asked = SMALLEST[bench]
    run = subprocess.run(
        [sys.executable, str(BENCH / f"{bench}.py"), *asked, *(["--json"] if asked != ["--help"] else [])],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    if asked != ["--help"]:
        assert any(number > 0 for number in figures(json.loads(run.stdout)))
