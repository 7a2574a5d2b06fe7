"""What all tests share: Hypothesis draws the same examples every time, and nothing is timed.

``make explore`` lets it draw others; what it finds there is promoted to a family, and gates only then.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("gate", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))
