"""The room of CR-002: stock and prices for sales platforms."""
