"""Would their own tests have noticed? Wrong kernels behind the public names of other projects.

``python -m benchmarks.peers`` puts the seeded faults and the mechanical mutants of this suite's own tests
behind the names that a project's own tests call, runs those tests as its wheel ships them, and counts who
notices; docs/PEERS.md is what it prints.
"""
