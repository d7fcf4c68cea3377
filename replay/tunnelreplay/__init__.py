"""Replay: what the model does, done by the reference over real sockets, step by step, and compared."""
