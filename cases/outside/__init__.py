"""Cases from others: files of anybody's inputs become batches like those of the corpus (docs/CASES.md)."""
