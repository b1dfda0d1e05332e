"""Export settings, margin rules, and what was exported."""
