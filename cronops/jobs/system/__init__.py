"""CR-011: clear the shop's caches of searches and popular articles."""
