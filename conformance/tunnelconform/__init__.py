"""Compares an implementation with the tables: what it was seen to do, against what they allow."""
