"""Answers become verdicts: the judge, and the rows of the run file."""
