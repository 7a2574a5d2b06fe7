"""Imports its framework at the top, so that listing it costs what importing the framework costs."""

import tinygrad  # noqa: F401
from right_plugin import Right


class Hasty(Right):
    name = "hasty"
