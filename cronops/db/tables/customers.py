"""Reminders of licences that end, and what became of each."""
