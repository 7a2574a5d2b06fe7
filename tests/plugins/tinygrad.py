"""A stand-in for a framework that takes seconds to import."""
