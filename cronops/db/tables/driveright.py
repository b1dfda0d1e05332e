"""Runs of the DriveRight sync, what they pulled, and what it would change."""
