"""Explores the protocol in a browser: worlds that the checker computed, and a page that walks them."""
