"""Who is asked, and the verdict: frameworks, workers, engine, command line.

Kept light: a worker imports this package inside another interpreter that has NumPy, ml_dtypes and
one framework, and nothing else of ours.
"""

__version__ = "0.1.0"
