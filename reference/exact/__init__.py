"""What decides a value: balls, enclosures, the families, derivatives, reductions."""
