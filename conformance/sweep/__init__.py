"""Every number of a format, and not some of them: what an implementation makes of each."""
