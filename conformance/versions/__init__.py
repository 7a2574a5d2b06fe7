"""Other versions of a framework: environments for them, the upgrade from one to the next, the matrix."""
