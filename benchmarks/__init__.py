"""Measurements of cronops against raw loops and peers: ``make bench``; no part of the tests."""
