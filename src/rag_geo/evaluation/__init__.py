"""Measures how far the answers about a collection can be trusted, through the same `Assistant` as the command line."""
