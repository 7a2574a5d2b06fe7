"""Which formula gives these bits: models of how real code goes wrong, held against what was returned."""
