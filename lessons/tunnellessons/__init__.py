"""Lessons: pages that walk through traces of the closed world, with what the tables and the checker say between markers."""
