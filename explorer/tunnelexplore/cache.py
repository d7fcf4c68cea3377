"""The last page that was served, kept: to make it takes half a minute, and it changes only with the sources."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

import numpy as np

PACKAGES = ("tunnelspec", "tunneldraw", "tunnelcheck", "tunnelexplore")
"""Whose sources decide what the page is."""

SUFFIXES = (".py", ".js", ".css", ".html")


def folder() -> Path:
    """Where it is kept: ``$XDG_CACHE_HOME/tunnelspec``, or ``~/.cache/tunnelspec``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tunnelspec"


def name(lessons: Iterable[Path], worlds: Iterable[str]) -> str:
    """The page's file name: a digest of the sources, of the lessons, and of what was asked for."""
    found = hashlib.sha256(f"{platform.python_version()} {np.__version__} {' '.join(worlds)}".encode())
    sources = (p for package in PACKAGES for p in sorted(Path(str(files(package))).rglob("*")) if p.suffix in SUFFIXES)
    for path in (*sources, *sorted(lessons)):
        found.update(path.name.encode() + b"\0" + path.read_bytes())
    return f"explore-{found.hexdigest()[:24]}.html"


def keep(path: Path, content: str) -> None:
    """Keep a page, and none of those before it. Where nothing can be kept, nothing is."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for old in path.parent.glob("explore-*.html"):
            old.unlink(missing_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_text(content, encoding="utf-8")
        fresh.replace(path)
    except OSError:
        return
