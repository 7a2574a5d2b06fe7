"""The evidence: the run file, its words, its findings, and the commands that reproduce them."""
