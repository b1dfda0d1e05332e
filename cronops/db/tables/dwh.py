"""Counters made of page hits, and how far they have come."""
