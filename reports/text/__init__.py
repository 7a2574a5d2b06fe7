"""Numbers and sentences, the same wherever they are shown."""
