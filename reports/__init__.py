"""What is shown: the run file, and renderers that are pure functions of it.

This floor knows run files and nothing else: no framework, no case, no reference.
"""
