"""CR-007: delete the shop's log of changes when it is old."""
