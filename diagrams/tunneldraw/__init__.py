"""The drawing room: diagrams of the tables, and sequence diagrams of traces. It restates nothing; it only shows."""
