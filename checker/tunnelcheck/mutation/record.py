"""The record: what became of every mutant, kept so that it need not be found out again.

It is committed beside this module. Its key is of all that decides a fate: the code of the specification and of the
checker's judgement, without comments, docstrings and the prose of the tables. A record with another key is stale.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tunnelcheck.meaning import Sources
from tunnelcheck.mutation.fate import EQUIVALENT, KILLED, SURVIVED, Fate
from tunnelspec import machine

FORMAT, VERSION = "tunnelspec-mutants", 2
PATH = Path(__file__).with_name("record.json")
HERE = Path(__file__).parent
DECIDES = (HERE.parent / "scenarios.py", HERE.parent / "decide.py", HERE / "source.py", HERE / "mutants.py", HERE / "fate.py",
           HERE / "twins.py")  # fmt: skip
"""What decides fates beside the specification."""


class RecordError(ValueError):
    """A file that is no record: the message names the file and what is wrong with it."""


@dataclass(frozen=True)
class Record:
    """The fates of all mutants, by their ids; ``seconds`` is what finding them took, on all processes together."""

    key: Sources
    fates: Mapping[str, Fate]
    seconds: float

    @property
    def stale(self) -> bool:
        """Whether the specification or the checker has changed since."""
        return not self.key.are(sources())

    def counts(self) -> Counter[str]:
        """How many were killed, equivalent, or survived."""
        return Counter(fate.state for fate in self.fates.values())

    def killers(self) -> Counter[str]:
        """How many were killed by whom."""
        return Counter(fate.by for fate in self.fates.values() if fate.state == KILLED)

    def share(self) -> float:
        """Killed, of those that are not equivalent."""
        counts = self.counts()
        return counts[KILLED] / max(1, counts[KILLED] + counts[SURVIVED])

    def to_json(self) -> str:
        """A line a mutant, so that a diff shows which fates have changed."""
        head = {"format": FORMAT, "version": VERSION, "key": asdict(self.key), "seconds": round(self.seconds)}
        lines = [
            f" {json.dumps(id_)}: {json.dumps(_short(fate), ensure_ascii=False)}" for id_, fate in self.fates.items()
        ]
        return json.dumps(head)[:-1] + ', "mutants": {\n' + ",\n".join(lines) + "\n}}\n"


def _short(fate: Fate) -> dict[str, str]:
    """Without what is empty; why a mutant was killed can be found out again."""
    data = {name: value for name, value in asdict(fate).items() if value}
    if fate.state == KILLED:
        data.pop("because", None)
    return data


def read(path: Path = PATH) -> Record:
    """A record from its file. Raises ``RecordError``, and ``OSError``."""
    try:
        raw: Any = json.loads(path.read_text(encoding="utf-8"))
        if raw["format"] != FORMAT or raw["version"] != VERSION:
            raise RecordError(f"{path}: not a record of mutants, version {VERSION}")
        fates = {id_: Fate(**fate) for id_, fate in raw["mutants"].items()}
        wrong = [id_ for id_, fate in fates.items() if fate.state not in (KILLED, EQUIVALENT, SURVIVED)]
        if wrong:
            raise RecordError(f"{path}: {wrong[0]}: {fates[wrong[0]].state!r} is no fate")
        return Record(Sources(**raw["key"]), fates, float(raw["seconds"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, RecordError):
            raise
        raise RecordError(f"{path}: not a record of mutants: {error}") from error


def sources() -> tuple[Path, ...]:
    """What decides fates."""
    return (*sorted(Path(machine.__file__).parent.glob("*.py")), *DECIDES)
