"""Capture: a real call of a framework, with its logits, labels and attributes, as a file of cases."""
