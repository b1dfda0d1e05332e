"""Sets of files that were sent to MAK."""
