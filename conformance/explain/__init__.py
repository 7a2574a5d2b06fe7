"""One case whole: what everybody answers, the search for a worse one, a script that shows it."""
