"""What is asked: families of cases, the same bits on every machine.

This floor knows the operators and the formats of :mod:`reference`. It imports no framework.
"""
