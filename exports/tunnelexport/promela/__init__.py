"""The closed world as a Promela model, for SPIN: the tables and the world's stages, translated from their Python source to C.

The translation knows nothing of the explorer. It reads the source of guards, effects, stages and properties (``translate``), gives
every value a C type (``shapes``, ``layout``), and puts the tables (``tables``) and the actions (``model``) around them. What it
cannot translate it refuses, with file and line; nothing is approximated.
"""
