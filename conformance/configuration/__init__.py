"""What is set where it need not be typed again: pyproject.toml, then environment variables, then options."""
