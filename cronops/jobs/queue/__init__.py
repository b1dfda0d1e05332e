"""The queue's own jobs: work it, keep it clean."""
