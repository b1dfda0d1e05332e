"""The rules a schedules file is held to, by topic."""
