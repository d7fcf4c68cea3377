"""The checker, checked: small faults are put into the tables one at a time, and each must be noticed.

``source`` changes the code of guards and effects, ``mutants`` the lines of tables; ``fate`` finds out who notices; ``record``
keeps what was found, so that it need not be found again; ``cli`` is ``tunnelspec mutate``.
"""
