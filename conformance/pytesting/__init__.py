"""The conformance tests under pytest: which there are, the one run that they share, what they say."""
