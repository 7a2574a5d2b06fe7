"""The error of a run file that cannot be used: whoever runs something knows it before it reads one."""

from __future__ import annotations

from pathlib import Path


class RunFileError(Exception):
    """A run file that cannot be used; the message says why and what to do."""


class OtherVersion(RunFileError):
    """One that another version of this suite has written, in a form that this one does not read."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
