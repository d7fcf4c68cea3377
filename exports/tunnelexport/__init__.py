"""Writes the tables down for others: JSON with a schema, SCXML, XState, Mermaid, Promela, and language-neutral test vectors."""
