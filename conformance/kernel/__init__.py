"""Your own function: the check, and what came of it."""
