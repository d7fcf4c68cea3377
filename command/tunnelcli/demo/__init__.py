"""``tunnelspec demo``: gateway, two runners and clients, each a process of its own, and everything that can happen to them."""
