"""The reference gateway: ``core`` is sans-I/O, ``server`` puts it on sockets."""
