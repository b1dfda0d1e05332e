"""CR-002: price what the suppliers have in stock, and deliver it to the sales platforms."""
