"""The test vectors: they fit their schema, a reader of nothing of ours agrees with them, and so do the tables and the oracle."""

from __future__ import annotations

import copy
import json
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.exports.revive import event, revived
from tests.reference.wire.test_wire_bare_ts import ask
from tunnelconform.passive import judge
from tunnelconform.recording import Entry, Frame, LinkClosed, LinkOpened
from tunnelexport.values import plain
from tunnelexport.vectors.files import SCHEMA_FILE
from tunnelexport.vectors.form import Group, Note
from tunnelexport.vectors.steps import LIMITS
from tunnelref.wire import WireError, codec
from tunnelref.wire.schema import SCHEMAS
from tunnelspec.endpoint import ENDPOINTS, MACHINES, Local
from tunnelspec.machine import Role, step
from tunnelspec.serial import add, distance, greater, less, window

ROOT = Path(__file__).parents[2]
FOLDER, TABLES = ROOT / "conformance" / "vectors", ROOT / "exports" / "tables.json"
SCHEMA = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
KINDS = ("frames", "serials", "steps", "runs", "conversations")
FILES: dict[str, Any] = {kind: json.loads((FOLDER / f"{kind}.json").read_text(encoding="utf-8")) for kind in KINDS}
MACHINE = {machine.id: machine for machine in MACHINES}


def vectors(kind: str, **wanted: str) -> list[dict[str, Any]]:
    return [v for v in FILES[kind]["vectors"] if all(v[key] == value for key, value in wanted.items())]


@pytest.mark.parametrize("kind", KINDS)
def test_they_fit_their_schema(kind: str) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert [e.message for e in Draft202012Validator(SCHEMA).iter_errors(FILES[kind])] == []
    for change in (lambda v: v.update(unheard_of=1), lambda v: v.pop("notes"), lambda v: v.update(result="maybe")):
        changed = {**FILES[kind], "vectors": [copy.deepcopy(FILES[kind]["vectors"][0])]}
        change(changed["vectors"][0])
        assert list(Draft202012Validator(SCHEMA).iter_errors(changed))


def test_there_are_enough_of_each() -> None:
    assert sum(len(vectors(kind)) for kind in KINDS) >= 1000
    assert all(vectors(kind, **{"from": "hand"}) for kind in KINDS if kind != "runs")
    taken = {v["then"]["transition"] for v in vectors("steps")}
    assert taken == {t.id for machine in MACHINES for t in machine.transitions}
    for version, schema in SCHEMAS.items():
        named = {next(iter(v["frame"])) for v in vectors("frames") if v["version"] == version and "frame" in v}
        assert named == {m.name for union in (schema.to_server, schema.to_client) for m in union.members}


# -- JavaScript, with nothing of ours --------------------------------------------------------------------------------


def checked_by_node(folder: Path) -> subprocess.CompletedProcess[str]:
    command = ["node", str(ROOT / "tests" / "node" / "vectors.mjs"), str(folder), str(TABLES)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_reader_in_javascript_agrees_with_all_of_them() -> None:
    done = checked_by_node(FOLDER)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {kind: Counter(v["result"] for v in vectors(kind)) for kind in KINDS}


def _flip(hex_: str) -> str:
    return f"{int(hex_[:2], 16) ^ 1:02x}{hex_[2:]}"


def _frame(v: dict[str, Any]) -> None:
    v["hex"] = _flip(v["hex"])


def _valid(v: dict[str, Any]) -> None:
    v["result"] = "invalid"


def _serial(v: dict[str, Any]) -> None:
    v["less"] = not v["less"]


def _rule(v: dict[str, Any]) -> None:
    v["then"]["transition"] = "CONN-G-59"


def _output(v: dict[str, Any]) -> None:
    v["then"]["outputs"].append({"type": "Dial"})


def _states(v: dict[str, Any]) -> None:
    v["steps"][0]["states"][-1] = "closed?"


def _lost(v: dict[str, Any]) -> None:
    place = next(i for i, e in enumerate(v["entries"]) if "ToClientWebSocketMessage" in str(e.get("frame")))
    del v["entries"][place]


@pytest.mark.parametrize(
    ("kind", "result", "change"),
    [
        ("frames", "valid", _frame), ("frames", "valid", _valid), ("serials", "valid", _serial), ("steps", "valid", _rule),
        ("steps", "valid", _output), ("runs", "valid", _states), ("conversations", "valid", _lost),
    ],
)  # fmt: skip
def test_the_reader_in_javascript_sees_a_wrong_vector(
    kind: str, result: str, change: Callable[[dict[str, Any]], None], tmp_path: Path
) -> None:
    for name in KINDS:
        if name != kind:
            (tmp_path / f"{name}.json").symlink_to(FOLDER / f"{name}.json")
    wrong = copy.deepcopy(next(v for v in vectors(kind, result=result) if v["id"] != "talk-not-found"))
    change(wrong)
    rest = [v for v in vectors(kind) if v["id"] != wrong["id"]]
    (tmp_path / f"{kind}.json").write_text(json.dumps({**FILES[kind], "vectors": [wrong, *rest]}), encoding="utf-8")
    done = checked_by_node(tmp_path)
    assert done.returncode == 1
    assert f"{kind}.json: {wrong['id']}" in done.stderr


def test_the_production_runners_library_agrees_with_every_frame() -> None:
    """``@rivetkit/bare-ts``, with a schema written by hand: the same bytes again, and a refusal of all that is invalid."""
    asked = [v for v in vectors("frames") if "Kv" not in json.dumps(v.get("frame", v.get("error")))]
    names = {"to_server": "ToServer", "to_client": "ToClient"}
    answers = ask([{"version": v["version"], "union": names[v["direction"]], "hex": v["hex"]} for v in asked])
    for v, answer in zip(asked, answers, strict=True):
        assert ("error" in answer) == (v["result"] == "invalid"), v
        assert v["result"] == "invalid" or answer["hex"] == v["hex"], v


# -- the tables, from the JSON alone ---------------------------------------------------------------------------------


def test_the_codec_agrees_with_every_frame() -> None:
    for v in vectors("frames"):
        decode = getattr(codec(v["version"]), f"decode_{v['direction']}")
        if v["result"] == "invalid":
            with pytest.raises(WireError) as caught:
                decode(bytes.fromhex(v["hex"]))
            assert vars(caught.value) | v["error"] == vars(caught.value), v["id"]
        else:
            frame = decode(bytes.fromhex(v["hex"]))
            assert getattr(codec(v["version"]), f"encode_{v['direction']}")(frame).hex() == v.get("canonical", v["hex"])


def test_the_comparison_agrees_with_every_serial_number() -> None:
    for v in vectors("serials"):
        if "b" in v:
            a, b, modulus = v["a"], v["b"], v["modulus"]
            found = (distance(a, b, modulus), less(a, b, modulus), greater(a, b, modulus))
            assert found == (v["distance"], v["less"], v["greater"]), v["id"]
        elif v["result"] == "valid":
            assert add(v["a"], v["steps"], v["modulus"]) == v["sum"], v["id"]
        else:
            assert v["steps"] > window(v["modulus"])


def test_the_tables_agree_with_every_step() -> None:
    """Also those that were worked out from the protocol's text."""
    for v in vectors("steps"):
        machine, limits = MACHINE[v["machine"]], LIMITS[v["limits"]]
        context = revived(type(machine.start), v["context"])
        done = step(machine, v["state"], context, event(v["event"]), limits)
        found = {"transition": done.transition.id, "state": done.state, "context": plain(done.context)}
        assert {**found, "outputs": plain(done.outputs)} == v["then"], (v["id"], v.get("comment"))


def test_the_endpoints_agree_with_every_run() -> None:
    for v in vectors("runs"):
        names, limits = v["endpoint"], LIMITS[v["limits"]]
        endpoint = next(e for e in ENDPOINTS if (e.role, e.name) == (Role(names["role"]), names["name"]))
        start = tuple(Local(s["state"], revived(type(MACHINE[s["machine"]].start), s["context"])) for s in v["start"])
        state = start
        for line in v["steps"]:
            done = endpoint.step(state, event(line["event"]), limits)
            assert [taken.step.transition.id for taken in done.steps] == line["takes"], v["id"]
            assert plain(done.outputs) == line["outputs"], v["id"]
            assert [local.state for local in done.state] == line["states"], v["id"]
            state = endpoint.start() if line.get("freed") else done.state


def entry(line: dict[str, Any]) -> Entry:
    time, link = line["time_ms"], line["link"]
    if "way" in line:
        return Frame(time, link, line["way"], bytes.fromhex(line["hex"]))
    if line["event"] == "open":
        return LinkOpened(time, link, line["protocol_version"], line["namespace"], line["runner_key"])
    return LinkClosed(time, link, line["code"], line["reason"])


SOCKETS = [v for v in vectors("conversations") if "Http" not in v["notes"] and "before" not in v]


@pytest.mark.parametrize("vector", SOCKETS, ids=[v["id"] for v in SOCKETS])
def test_the_oracle_agrees_with_every_conversation(vector: dict[str, Any]) -> None:
    """What is valid is allowed to its end; of what is not, the oracle names the very frame, and whose it is."""
    judgement = judge(tuple(entry(line) for line in vector["entries"]))
    if vector["result"] == "valid":
        assert (judgement.verdict, judgement.breaches, judgement.judged) == ("pass", (), judgement.frames)
    else:
        assert judgement.verdict == "fail"
        wrong = vector["wrong"]
        assert (judgement.breaches[0].side, judgement.breaches[0].place) == (wrong["side"], wrong["entry"])


# -- the files -------------------------------------------------------------------------------------------------------


def test_ids_come_from_what_goes_in() -> None:
    """An expectation that changes does not change the id."""
    steps = {v["id"]: (v["machine"], v["state"], v["context"], v["event"]) for v in vectors("steps")}
    assert len({json.dumps(value) for value in steps.values()}) == len(steps)
    assert all(v["then"]["transition"].lower() not in v["id"] for v in vectors("steps"))


def test_a_file_that_would_mislead_is_not_written() -> None:
    one = {"id": "x-1", "result": "valid", "notes": ["A"], "from": "hand"}
    note = {"A": Note("This.", "That.")}
    assert Group("x", "Says.", note, (one,), {}).text()
    with pytest.raises(ValueError, match="ids that come twice: x-1"):
        Group("x", "Says.", note, (one, one), {}).text()
    with pytest.raises(ValueError, match="notes without an explanation, or without a vector"):
        Group("x", "Says.", {**note, "B": note["A"]}, (one,), {}).text()
