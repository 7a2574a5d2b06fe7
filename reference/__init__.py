"""What is right: exact operators, certified enclosures, derived bounds, numbered clauses.

This floor knows numbers. It imports no framework, no case and no report.
"""
