"""The sections of the page: each a view of the run, and a template of its name."""
