"""The JSON of the tables: it fits its schema, leaves nothing out, and names nothing that is not in it."""

from __future__ import annotations

import ast
import copy
import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tunnelexport import tables
from tunnelexport.layout import version
from tunnelspec.endpoint import MACHINES
from tunnelspec.hibernation import HIB_R
from tunnelspec.limits import DEFAULT
from tunnelspec.source import parts

SCHEMA = json.loads(tables.SCHEMA.read_text(encoding="utf-8"))
DATA: dict[str, Any] = json.loads(tables.text())
SMALLEST: dict[str, Any] = json.loads(tables.text((HIB_R,)))


def problems(data: Any) -> list[str]:
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(data)]


def test_it_fits_its_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert problems(DATA) == []


def objects(schema: Any) -> list[Any]:
    """Every part of the schema that describes an object with named properties."""
    inner = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    own = [schema] if isinstance(schema, dict) and isinstance(schema.get("properties"), dict) else []
    return own + [found for part in inner for found in objects(part)]


def test_the_schema_allows_nothing_else() -> None:
    assert all(o.get("additionalProperties") is False for o in objects(SCHEMA) if o.get("type") == "object")
    for path in ((), ("machines", 0), ("machines", 0, "transitions", 5), ("machines", 0, "states", 0), ("limits", 3)):
        changed = copy.deepcopy(SMALLEST)
        place = changed
        for step in path:
            place = place[step]
        place["unheard_of"] = 1
        assert problems(changed), path


@pytest.mark.parametrize("missing", ["guard", "effect", "sources", "ref", "verdict"])
def test_a_transition_without_its_parts_does_not_fit(missing: str) -> None:
    changed = copy.deepcopy(SMALLEST)
    del changed["machines"][0]["transitions"][0][missing]
    assert problems(changed)


def test_every_line_of_every_table_is_there() -> None:
    assert [m["id"] for m in DATA["machines"]] == [m.id for m in MACHINES]
    for machine, said in zip(MACHINES, DATA["machines"], strict=True):
        assert [s["name"] for s in said["states"]] == [s.name for s in machine.states]
        assert [e["name"] for e in said["events"]] == [e.__name__ for e in machine.alphabet]
        for t, row in zip(machine.transitions, said["transitions"], strict=True):
            assert (row["id"], row["sources"], row["event"]) == (t.id, list(t.sources), t.on.__name__)
            assert (row["target"], row["verdict"], row["says"], row["ref"]) == (t.target, t.verdict, t.says, t.ref)
            assert row["guard"] is None if t.when is None else row["guard"]["parts"] == list(parts(t.when))
            assert (row["effect"] is None) == (t.then is None)
    assert {limit["name"]: limit["value"] for limit in DATA["limits"]} == {n: v for n, v, *_ in DEFAULT.describe()}


def test_every_state_and_event_of_a_machine_is_decided() -> None:
    """The JSON alone shows that no pair is left out."""
    for machine in DATA["machines"]:
        decided = {(source, row["event"]) for row in machine["transitions"] for source in row["sources"]}
        assert decided == {(s["name"], e["name"]) for s in machine["states"] for e in machine["events"]}


def test_every_type_that_is_named_is_described() -> None:
    known = {t["name"] for t in DATA["types"]} | {
        "int",
        "str",
        "bool",
        "bytes",
        "class",
        "any",
        "list",
        "pair",
        "Limits",
    }
    named = {f["type"] for t in DATA["types"] for f in t.get("fields", [])}
    named |= {p["type"] for f in DATA["functions"] for p in f["parameters"]} | {f["returns"] for f in DATA["functions"]}
    named |= {m["context"]["type"] for m in DATA["machines"]} | {
        e["name"] for m in DATA["machines"] for e in m["events"]
    }
    named |= {
        o["type"] for m in DATA["machines"] for t in m["transitions"] if t["effect"] for o in t["effect"]["outputs"]
    }
    assert {word for name in named for word in re.findall(r"\w+", name)} <= known


def test_every_function_and_constant_that_a_source_names_is_there() -> None:
    """What a guard or effect calls can be read in the same file: a translator needs nothing else."""
    functions = {f["name"].partition(".")[2] for f in DATA["functions"]}
    known = functions | {c["name"] for c in DATA["constants"]} | {t["name"] for t in DATA["types"]}
    builtin = {
        "len",
        "sum",
        "next",
        "enumerate",
        "tuple",
        "type",
        "Fifo",
        "None",
        "bool",
        "int",
        "str",
        "Any",
        "Limits",
        "Outputs",
    }
    for function in DATA["functions"]:
        tree = ast.parse(function["source"])
        bound = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        bound |= {a.arg for a in ast.walk(tree) if isinstance(a, ast.arg)}
        loaded = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
        assert loaded <= known | builtin | bound, function["name"]


def test_version_1_of_the_wire_lacks_what_it_lacks() -> None:
    def tunnel(number: int) -> dict[str, list[str]]:
        frame = version(number)["to_server"]["members"][-1]
        kinds = next(f["type"] for f in frame["fields"] if f["name"] == "messageKind")
        return {member["name"]: [f["name"] for f in member["fields"]] for member in kinds["members"]}

    assert tunnel(2)["ToServerWebSocketOpen"] == ["canHibernate", "lastMsgIndex"]
    assert tunnel(1)["ToServerWebSocketOpen"] == []
    assert set(tunnel(2)) - set(tunnel(1)) == {"ToServerWebSocketMessageAck"}


def test_one_machine_alone_fits_the_schema_too() -> None:
    assert problems(SMALLEST) == []
