"""Verdicts on what reviews claimed of the protocol as merged: each claim is an experiment, and the machine decides it."""
