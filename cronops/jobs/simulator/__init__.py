"""CR-013: send vehicles, wheels and fitments to the MAK simulator as files."""
