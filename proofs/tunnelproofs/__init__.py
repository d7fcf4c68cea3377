"""Proofs by trying every case: what the specification relies on and no state space covers."""
