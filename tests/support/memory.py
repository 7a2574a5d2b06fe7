"""Where memory that nobody has written is seen."""

from __future__ import annotations

import os

import pytest

filling = pytest.mark.skipif(
    "CS_GNU_LIBC_VERSION" not in os.confstr_names, reason="memory is filled by the GNU C library"
)
