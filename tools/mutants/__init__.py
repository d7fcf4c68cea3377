"""Faults in the reference's own code, not in its tables: which of them does the conformance suite notice?"""
