"""Test vectors for implementations in any language: what is on the wire, what a table makes of an event, whole conversations.

``form`` says what a file of vectors is; each other module makes one of them. Those in modules called ``by_hand`` were worked out
from the protocol's text, not by any program, so that the tables and their vectors do not share a mistake.
"""
