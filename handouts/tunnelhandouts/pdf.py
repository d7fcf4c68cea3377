"""HTML to PDF, by Chromium; and a mark in the PDF that says what it was printed from.

What Chromium prints varies with its version and the fonts it finds, so a PDF is not compared byte for byte: behind its end stands
the hash of its source, which is. Its dates are set to one that never changes.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

STAMP = re.compile(rb"\n%tunnelspec-source ([0-9a-f]{64})\n\Z")
DATES = re.compile(rb"(/(?:CreationDate|ModDate) \(D:)\d{14}")
PAGES = re.compile(rb"/Type\s*/Page\b(?!s)")
PATIENCE_S = 60


class Unprintable(Exception):
    """Chromium is missing, or failed."""


def browser() -> str:
    """Where Chromium is. Raises ``Unprintable``."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        raise Unprintable("chromium is not installed, and prints the hand-outs")
    return found


def printed(html: str, source: str) -> bytes:
    """``html`` as PDF, marked as made from ``source``. Raises ``Unprintable``."""
    with tempfile.TemporaryDirectory() as folder:
        page, out = Path(folder) / "page.html", Path(folder) / "page.pdf"
        page.write_text(html, encoding="utf-8")
        words = [
            browser(), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile",
            "--no-pdf-header-footer", f"--print-to-pdf={out}", page.as_uri(),
        ]  # fmt: skip
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        except subprocess.TimeoutExpired as error:
            raise Unprintable(f"chromium did not print within {PATIENCE_S} s") from error
        if not out.is_file():
            raise Unprintable(f"chromium printed nothing: {done.stderr.strip()[-300:]}")
        pdf = DATES.sub(rb"\g<1>20260101000000", out.read_bytes())
        if (pages := len(PAGES.findall(pdf))) != 1:
            raise Unprintable(f"it does not fit on one page, but on {pages}")
        return pdf + b"\n%tunnelspec-source " + digest(source) + b"\n"


def is_of(pdf: Path, source: str) -> bool:
    """Whether a PDF was printed from this source."""
    found = STAMP.search(pdf.read_bytes()[-100:]) if pdf.is_file() else None
    return found is not None and found[1] == digest(source)


def digest(source: str) -> bytes:
    """The hash that marks a PDF."""
    return hashlib.sha256(source.encode()).hexdigest().encode()
