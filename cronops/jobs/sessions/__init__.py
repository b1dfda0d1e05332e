"""CR-014: remove the shop's session files when they are old."""
