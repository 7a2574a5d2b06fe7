"""What ``conformance smoke`` asks: where most that ever went wrong has shown, of what everybody calls."""

OPERATORS = ("softmax", "sparse_softmax_cross_entropy", "sigmoid_cross_entropy")
DTYPES = ("float32", "bfloat16")
FAMILIES = ("special_values", "huge_logits", "offsets", "values", "two_classes")
"""NaN and infinities, large numbers, common terms, two classes."""
