"""No adapter at all."""

_PRIVATE = 1
