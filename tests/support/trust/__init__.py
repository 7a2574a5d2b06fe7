"""Faults put in for real: ``python -m tests.support.trust`` (``make faults``) does it all and prints figures.

Processes are killed at every step of what they write, files are damaged by the thousand, and frameworks
misbehave in every way that we know; what must not happen is counted, and is zero.
"""
