"""Cannot be imported."""

raise RuntimeError("built for another Python")
