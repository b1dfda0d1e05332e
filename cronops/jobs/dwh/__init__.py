"""CR-004: count what the shop's visitors look at."""
