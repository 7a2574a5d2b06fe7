"""Typed decisions: what a gate, a comparison, a table of versions say, for every renderer."""
