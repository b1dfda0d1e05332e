"""Sales platforms, what was pulled from them, and the orders made of it."""
