"""What is asked, and asking it: selection, questions, the process of a worker, the asker."""
