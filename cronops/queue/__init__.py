"""The queue: messages in PostgreSQL, worked by one run at a time, driven by hand where needed."""
