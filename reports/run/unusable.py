"""The error of a run file that cannot be used: whoever runs something knows it before it reads one."""


class RunFileError(Exception):
    """A run file that cannot be used; the message says why and what to do."""


class OtherVersion(RunFileError):
    """One that another version of this suite has written, in a form that this one does not read."""
