"""How far is right: the accurate and the stable bound of each operator, as SPEC.md §8 derives them."""
