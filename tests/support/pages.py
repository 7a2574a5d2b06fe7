"""What the pages of the documentation show."""

from __future__ import annotations

import re
from pathlib import Path

TAIL = re.compile(r"\s+# .*| +#.*")


def commands(page: Path) -> list[str]:
    """What stands behind the prompt, without its remark, and without what it is piped into."""
    shown = re.findall(r"^\$ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    ours = (TAIL.sub("", line).partition(" | ")[0] for line in shown)
    return [line.removeprefix(".venv/bin/").strip() for line in ours]
