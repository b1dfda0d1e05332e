"""What was cleared away, and how much of it."""
