"""A run: engine, journal, header, distances."""
