"""Inside the framework's own process: NumPy, ml_dtypes and the framework, nothing else of ours."""
