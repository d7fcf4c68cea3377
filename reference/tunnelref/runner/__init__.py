"""The reference runner: ``core`` is sans-I/O, ``client`` puts it on a socket, ``actor`` is what users write against."""
