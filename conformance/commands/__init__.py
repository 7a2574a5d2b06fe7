"""The commands: one file for each kind of thing that a user does. Thin: they parse, call, and print."""
