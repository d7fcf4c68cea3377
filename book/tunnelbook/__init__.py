"""Writes the tables into the pages of the specification, between markers, and checks what the prose cites."""
