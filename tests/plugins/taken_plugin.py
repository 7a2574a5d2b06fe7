"""Calls itself what another adapter is called."""

from right_plugin import Right


class Taken(Right):
    name = "numpy"
