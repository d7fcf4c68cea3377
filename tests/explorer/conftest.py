"""One page for all tests here: a few worlds and a tour, made once; and what a real browser found in it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tunnelcli.main import main

NODE = Path(__file__).parents[1] / "node"
TOURS = Path(__file__).parent / "tours"
WORLDS = ("window", "sleep", "zombie", "wrap~replay-stops", "limit~drops-silently", "restless~retry-unspaced")


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page, as the command writes it."""
    path = tmp_path_factory.mktemp("explorer") / "explore.html"
    assert main(["explore", "--export", str(path), "--worlds", *WORLDS, "--lessons", str(TOURS)]) == 0
    return path


@pytest.fixture(scope="session")
def seen(page: Path) -> dict[str, Any]:
    """What was seen and done in Chromium, by name."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "install Debian's chromium: the page is tried in a real browser"
    command = ["node", str(NODE / "explore.mjs"), str(page), chromium]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result
