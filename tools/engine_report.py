"""What the suite found of the production engine, run by run, and the report's tables made from it.

    python tools/engine_report.py add /tmp/run.json --note 'a quiet machine'  # what conform … --subject engine --json printed
    python tools/engine_report.py write                                       # the tables, anew
    python tools/engine_report.py check                                       # are they, and is the baseline borne out?

Exit codes: 0 done, or current; 2 wrong use; 5 the report is stale, or an entry of the baseline is not borne out.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from tunnelconform import baseline
from tunnelconform.played import Verdict
from tunnelconform.report import Entry, ReportError, read

REPORT = Path(__file__).parents[1] / "conformance" / "reports" / "engine-2.3.19.md"
ENOUGH = 3
"""So often a case must have failed in one way, and never have passed, before it counts as a finding's."""

LETTERS = {"pass": "p", "inconclusive": "i", "unsupported": "u", "error": "e"}
BLOCK = r"(<!-- engine_report: {name} -->\n).*?(<!-- /engine_report -->)"


class StaleError(Exception):
    """Something does not fit the record; the message says what."""


class Plays(NamedTuple):
    """What came of a case in one run, play by play: a letter of ``LETTERS``, or f and the number of its way of failing."""

    run: int
    came: tuple[str, ...]


def way_of(entry: Entry) -> str:
    """In which way it failed: what was said, or what was not, without what differs from play to play."""
    lines = [line.strip() for line in entry.told]
    silent = lines[:1] == ["it was silent where the tables are not; due was:"]
    words = (lines[1] if silent else lines[0] if lines else "").split(" ")
    code = next((f" {word}" for word in words if word.startswith(("code=", "status="))), "")
    return f"{'no ' if silent else ''}{words[0]}{code}"


def why_of(entry: Entry) -> str:
    """Why it was inconclusive, without the step at which it was."""
    return re.sub(r"^step \d+, [^:]*: ", "", entry.why)


class Record:
    """The runs, and what came of each case in them. A run whose JSON was lost has its counts only."""

    def __init__(self, read: Mapping[str, Any]) -> None:
        self.runs: list[dict[str, Any]] = list(read.get("runs", ()))
        self.ways: list[str] = list(read.get("ways", ()))
        self.cases: dict[str, str] = dict(read.get("cases", {}))

    def add(self, path: Path, note: str, load: float, only: str = "*") -> None:
        """One more run; of its cases, those that match. Raises ``ReportError``, ``OSError``."""
        report = read(path)
        entries = [entry for entry in report.entries if fnmatchcase(entry.id, only)]
        came = defaultdict[str, list[str]](list)
        for entry in entries:
            came[entry.id].append(LETTERS.get(entry.verdict.value) or f"f{self._way(way_of(entry))}")
        options = [word for word in report.again.split()[3:] if not word.startswith("--subject")]
        run = {
            "date": datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%d %H:%M"),
            "note": note,
            "options": " ".join(options),
            "load": load,
            "counts": dict(Counter(entry.verdict.value for entry in entries)),
            "seconds": round(report.seconds),
            "why": dict(Counter(why_of(e) for e in entries if e.verdict is Verdict.INCONCLUSIVE).most_common()),
            **({"missing": report.missing} if report.missing else {}),
        }
        if run in self.runs:
            raise ReportError(f"{path}: the record has this run")
        self.runs.append(run)
        for id_, verdicts in sorted(came.items()):
            one = f"{len(self.runs)} {' '.join(verdicts)}"
            self.cases[id_] = f"{self.cases[id_]}; {one}" if id_ in self.cases else one

    def _way(self, way: str) -> int:
        if way not in self.ways:
            self.ways.append(way)
        return self.ways.index(way)

    def plays(self, id_: str) -> Iterator[Plays]:
        """What came of a case, run by run."""
        for one in filter(None, self.cases.get(id_, "").split("; ")):
            run, *came = one.split(" ")
            yield Plays(int(run), tuple(came))

    def came(self, id_: str, own_waits: bool = False) -> Counter[str]:
        """The same, summed over the runs with waits that are shortened, which the baseline is about; or over the others."""
        return Counter(c for p in self.plays(id_) if self._own_waits(p.run) == own_waits for c in p.came)

    def _own_waits(self, run: int) -> bool:
        return "--default-limits" in str(self.runs[run - 1].get("options", ""))

    def failed(self, run: int) -> Counter[str]:
        """Case -> how often it failed in a run."""
        found = {id_: sum(c[0] == "f" for p in self.plays(id_) if p.run == run for c in p.came) for id_ in self.cases}
        return Counter({id_: count for id_, count in found.items() if count})

    def text(self) -> str:
        """The file: a run, a way or a case a line."""

        def lines(some: Iterable[str]) -> str:
            return ",\n".join(f"  {one}" for one in some)

        cases = lines(f"{json.dumps(id_)}: {json.dumps(self.cases[id_])}" for id_ in sorted(self.cases))
        return (
            f'{{\n "runs": [\n{lines(map(json.dumps, self.runs))}\n ],\n "ways": [\n{lines(map(json.dumps, self.ways))}\n ],'
            f'\n "cases": {{\n{cases}\n }}\n}}\n'
        )


def unborne(record: Record, known: Iterable[str]) -> Iterator[str]:
    """The entries of the baseline that the record speaks against. Of fewer than three plays it only says so if one passed."""
    for id_ in known:
        came = record.came(id_)
        most = max((count for what, count in came.items() if what[0] == "f"), default=0)
        if came["p"]:
            yield f"{id_} passed {came['p']} times of {came.total()}"
        elif came.total() >= ENOUGH and most < ENOUGH:
            yield f"{id_} failed at most {most} times in one way, of {came.total()}"


# -- the tables ------------------------------------------------------------------------------------------------------


def runs_table(record: Record, known: Mapping[str, str]) -> str:
    """A row a run."""
    rows = ["| run | plays | pass | fail: a finding | fail: a random walk | fail: otherwise | inconclusive | error | time |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]  # fmt: skip
    for number, run in enumerate(record.runs, 1):
        counts = Counter(run["counts"])
        failed = record.failed(number)
        finding = run.get("finding", sum(count for id_, count in failed.items() if id_ in known))
        walks = run.get("walks", sum(count for id_, count in failed.items() if id_.startswith("walk/")))
        rest = counts["fail"] - finding - (walks or 0)
        words = [run["date"], run["note"], f"`{run['options']}`" if run["options"] else "",
                 f"load {run['load']}" if run.get("load") is not None else ""]  # fmt: skip
        cells = (counts.total(), counts["pass"], finding, "(not told)" if walks is None else walks, rest,
                 counts["inconclusive"], counts["error"], f"{run['seconds']:,} s")  # fmt: skip
        rows.append(f"| {'; '.join(filter(None, words))} | {' | '.join(map(str, cells))} |")
    return "\n".join(rows) + "\n"


def by_finding(known: Mapping[str, str]) -> dict[str, list[str]]:
    """Finding -> its cases."""
    found = defaultdict[str, list[str]](list)
    for id_, reason in sorted(known.items()):
        found[reason.partition(":")[0]].append(id_)
    return dict(sorted(found.items()))


def findings_table(table: str, known: Mapping[str, str]) -> str:
    """The table as it stands, with the numbers of cases as they are."""
    for id_, cases in by_finding(known).items():
        row = rf"(\| \[{id_}\]\([^)]*\) \|[^|\n]*\| )\d+( \|)"
        table, found = re.subn(row, rf"\g<1>{len(cases)}\g<2>", table)
        if found != 1:
            raise StaleError(f"the report's table has {found} rows of {id_}")
    return table


def quoted(ids: Iterable[str]) -> str:
    """Ids in lines of 128."""
    return textwrap.fill(", ".join(f"`{id_}`" for id_ in ids), 128, break_long_words=False, break_on_hyphens=False)


def case_lists(record: Record, known: Mapping[str, str]) -> str:
    """The cases of each finding, and what their being there rests on."""
    borne = sum(any(n >= ENOUGH for what, n in record.came(id_).items() if what[0] == "f") for id_ in known)
    rest = "" if borne == len(known) else " Of the others it has fewer plays yet."
    rests = f"{len(known)} cases. The record bears out {borne} of them with {ENOUGH} failures in one way.{rest}"
    parts = [textwrap.fill(rests, 128)]
    parts += [f"**{id_}** ({len(cases)}):\n{quoted(cases)}" for id_, cases in by_finding(known).items()]
    return "\n\n".join(parts) + "\n"


def unsettled(record: Record, known: Mapping[str, str]) -> str:
    """What failed and is nobody's finding, by transition and way: how many cases, and the most failures of one."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    passed = 0
    for id_ in sorted(set(record.cases) - set(known)):
        came = record.came(id_)
        failures = {what: count for what, count in came.items() if what[0] == "f"}
        passed += bool(failures and came["p"])
        for what, count in failures.items():
            found[id_.partition("/")[0], record.ways[int(what[1:])]].append(count)
    ways = defaultdict[str, list[tuple[str, list[int]]]](list)
    for (transition, way), counts in sorted(found.items()):
        ways[way].append((transition, counts))
    rows = ["| way of failing | cases | most failures of one case | transitions |", "| --- | ---: | ---: | --- |"]
    for way, some in sorted(ways.items(), key=lambda item: (-sum(len(c) for _, c in item[1]), item[0])):
        every = [count for _, counts in some for count in counts]
        rows.append(f"| {way} | {len(every)} | {max(every)} | {', '.join(transition for transition, _ in some)} |")
    return "\n".join(rows) + f"\n\nOf these cases {passed} passed in other plays.\n"


def own_waits(record: Record, known: Mapping[str, str]) -> str:
    """What failed with the engine's own waits and is no finding's case, by way: how many cases, and which of them count: they
    never passed, and failed so three times or more."""
    failed, sure = Counter[str](), defaultdict[str, list[str]](list)
    for id_ in sorted(set(record.cases) - set(known)):
        came = record.came(id_, own_waits=True)
        for what, count in came.items():
            if what[0] == "f" and not id_.startswith("walk/"):
                way = record.ways[int(what[1:])]
                failed[way] += 1
                if count >= ENOUGH and not came["p"]:
                    sure[way].append(id_)
    rows = ["| way of failing | cases | never passed, and failed so three times or more |", "| --- | ---: | ---: |"]
    rows += [
        f"| {way} | {count} | {len(sure[way])} |" for way, count in sorted(failed.items(), key=lambda i: (-i[1], i[0]))
    ]
    lists = [
        f"**{way}**:\n{quoted(sure[way])}" for way in sorted(failed, key=lambda way: (-failed[way], way)) if sure[way]
    ]
    return "\n\n".join(["\n".join(rows), *lists]) + "\n"


def inconclusive(record: Record) -> str:
    """Why plays were inconclusive, over the runs that tell."""
    told = Counter[str]()
    for run in record.runs:
        told.update(run.get("why", {}))
    rows = ["| plays | why |", "| ---: | --- |", *(f"| {count} | {why} |" for why, count in told.most_common())]
    return "\n".join(rows) + "\n"


def flaky(record: Record, known: Mapping[str, str]) -> str:
    """What failed in some plays and passed in others, or failed in several ways, and is in no finding."""
    both, several = list[str](), list[str]()
    for id_ in sorted(set(record.cases) - set(known)):
        came = record.came(id_)
        ways = [what for what in came if what[0] == "f"]
        if ways and came["p"]:
            both.append(id_)
        elif len(ways) > 1:
            several.append(id_)
    told = ((f"{len(both)} cases failed in some plays and passed in others", both),
            (f"{len(several)} never passed, and failed in several ways", several))  # fmt: skip
    return "\n\n".join(f"{words}:\n{quoted(ids)}" if ids else f"{words}." for words, ids in told) + "\n"


def written(text: str, record: Record, known: Mapping[str, str]) -> str:
    """The report with its tables anew. Raises ``StaleError`` if it has no place for one."""
    old = re.search(BLOCK.format(name="findings"), text, re.DOTALL)
    table = old[0].partition("\n")[2].rpartition("<!--")[0] if old else ""
    blocks = {
        "runs": runs_table(record, known),
        "findings": findings_table(table, known),
        "inconclusive": inconclusive(record),
        "flaky": flaky(record, known),
        "unsettled": unsettled(record, known),
        "own_waits": own_waits(record, known),
        "cases": case_lists(record, known),
    }
    for name, block in blocks.items():
        new = f"<!-- engine_report: {name} -->\n{block}<!-- /engine_report -->"
        text, found = re.subn(BLOCK.format(name=name), lambda _, new=new: new, text, flags=re.DOTALL)  # type: ignore[misc]
        if found != 1:
            raise StaleError(f"the report has {found} places for {name}")
    return text


def main(arguments: list[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog="example: python tools/engine_report.py add /tmp/run.json --note quiet",
    )
    parser.add_argument(
        "--report", type=Path, default=REPORT, metavar="FILE", help="the report; .json and .runs.json beside it"
    )
    kinds = parser.add_subparsers(dest="kind", metavar="add|write|check", required=True)
    add = kinds.add_parser(
        "add", help="take runs into the record", epilog="example: … add /tmp/run.json --note quiet --load 0.3"
    )
    add.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="what 'conform gateway --subject engine --json' printed"
    )
    add.add_argument("--note", default="", metavar="TEXT", help="what a reader must know of these runs")
    add.add_argument("--load", type=float, default=round(os.getloadavg()[2], 1), metavar="N",
                     help="the machine's load then (default: that of the last 15 minutes)")  # fmt: skip
    add.add_argument("--only", default="*", metavar="PATTERN", help="of their cases, these (default: all)")
    kinds.add_parser("write", help="write the tables anew", epilog="example: … write")
    kinds.add_parser("check", help="exit 5 if they are stale", epilog="example: … check")
    args = parser.parse_args(arguments)
    runs = args.report.with_suffix(".runs.json")
    try:
        record = Record(json.loads(runs.read_text(encoding="utf-8")) if runs.exists() else {})
        known = baseline.read(args.report.with_suffix(".json"))
        if args.kind == "add":
            for file in args.files:
                record.add(file, args.note, args.load, args.only)
            runs.write_text(record.text(), encoding="utf-8")
            return 0
        text = args.report.read_text(encoding="utf-8")
        new = written(text, record, known)
        if args.kind == "write":
            args.report.write_text(new, encoding="utf-8")
            return 0
        problems = [
            *unborne(record, known),
            *([] if new == text else [f"{args.report.name} is stale: 'write' makes it anew"]),
        ]
        if problems:
            raise StaleError("\n".join(problems))
    except (ReportError, baseline.BaselineError, OSError, ValueError) as error:
        print(f"engine_report: {error}", file=sys.stderr)
        return 2
    except StaleError as error:
        print(f"engine_report: {error}", file=sys.stderr)
        return 5
    print(f"the engine's report: {len(known)} cases of findings, {len(record.runs)} runs: current")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
