"""What is wrong with an adapter, one line a problem."""
