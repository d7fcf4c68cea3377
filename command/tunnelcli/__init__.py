"""The command ``tunnelspec``. It may use every room; no room uses it."""
