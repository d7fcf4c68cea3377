"""The arrows between the rooms point one way, and a wheel has the rooms' names and no others."""

from __future__ import annotations

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = {
    "tunnelspec": "spec", "tunnelref": "reference", "tunneldraw": "diagrams", "tunnelbook": "book", "tunnelproofs": "proofs",
    "tunnelexport": "exports", "tunnelcheck": "checker", "tunnelreplay": "replay", "tunnelfindings": "findings",
    "tunnelexplore": "explorer", "tunnelconform": "conformance", "tunnellessons": "lessons", "tunnelhandouts": "handouts",
    "tunnelcli": "command",
}  # fmt: skip
MAY = {
    "tunnelspec": set(),
    "tunnelref": {"tunnelspec"},
    "tunneldraw": {"tunnelspec"},
    "tunnelbook": {"tunnelspec", "tunneldraw"},
    "tunnelproofs": {"tunnelspec"},
    "tunnelexport": {"tunnelspec", "tunneldraw", "tunnelref"},  # of tunnelref the codec alone
    "tunnelcheck": {"tunnelspec", "tunneldraw", "tunnelexport"},
    "tunnelreplay": {"tunnelspec", "tunnelref", "tunneldraw", "tunnelcheck"},
    "tunnelfindings": {"tunnelspec", "tunnelref", "tunneldraw", "tunnelbook", "tunnelproofs", "tunnelcheck"},
    "tunnelexplore": {"tunnelspec", "tunneldraw", "tunnelcheck"},
    "tunnelconform": {"tunnelspec", "tunneldraw", "tunnelref"},  # of tunnelref the codec alone: see below
    "tunnellessons": {"tunnelspec", "tunneldraw", "tunnelbook", "tunnelcheck", "tunnelref", "tunnelconform"},
    "tunnelhandouts": {"tunnelspec", "tunneldraw", "tunnelbook", "tunnelcheck", "tunnelref"},  # of tunnelref the schema
    "tunnelcli": set(OURS) - {"tunnelcli"},
}


def imports(path: Path) -> set[str]:
    """The top-level names that a module imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("package", OURS)
def test_arrows(package: str) -> None:
    for path in (ROOT / OURS[package] / package).rglob("*.py"):
        names = imports(path)
        assert names & (set(OURS) | {"tests", "bench"}) <= MAY[package] | {package}, path
        if package == "tunnelspec":
            assert names - {package} <= set(sys.stdlib_module_names), path


def test_every_package_is_typed() -> None:
    for package, folder in OURS.items():
        assert (ROOT / folder / package / "py.typed").is_file()


def test_the_wheel_installs_the_rooms_and_nothing_else(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        top = {name.partition("/")[0] for name in archive.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == set(OURS)
