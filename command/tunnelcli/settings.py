"""Limits from the command line and the environment: every field of ``Limits`` is a flag and a variable.

``--open-timeout-ms 500``, or ``TUNNELSPEC_OPEN_TIMEOUT_MS=500``; the flag wins.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import fields
from typing import Any

from tunnelspec.limits import DEFAULT, Limits


def variable(name: str) -> str:
    """The environment variable of a limit."""
    return "TUNNELSPEC_" + name.upper()


def positive(text: str) -> int:
    """A whole number of at least 1. Raises ``ValueError``, which argparse reports with the flag's name."""
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


def add_limits(parser: argparse.ArgumentParser) -> None:
    """One flag a limit."""
    group = parser.add_argument_group(
        "limits", "each is also an environment variable, e.g. " + variable("open_timeout_ms")
    )
    for name, value, unit, _, why in DEFAULT.describe():
        if name not in ("index_modulus", "number_modulus"):  # the wire's, not the operator's
            group.add_argument(
                "--" + name.replace("_", "-"),
                dest=name,
                type=positive,
                metavar="N",
                help=f"{why} ({unit}; default {value})",
            )


def limits_from(args: argparse.Namespace, environ: dict[str, str] | None = None) -> Limits:
    """The limits that flags and environment ask for. Raises ``ValueError`` naming the variable that is no number."""
    environ = dict(os.environ) if environ is None else environ
    chosen: dict[str, Any] = {}
    for field in fields(Limits):
        given = getattr(args, field.name, None)
        text = environ.get(variable(field.name))
        if given is not None:
            chosen[field.name] = given
        elif text is not None and field.name not in ("index_modulus", "number_modulus"):
            try:
                chosen[field.name] = positive(text)
            except ValueError:
                raise ValueError(f"{variable(field.name)}={text!r} is not a whole number of at least 1") from None
    limits = Limits(**chosen)
    if limits.max_pending_messages > DEFAULT.max_pending_messages:
        raise ValueError(
            f"max_pending_messages may be at most {DEFAULT.max_pending_messages}: beyond it indices cannot be compared"
        )
    return limits
