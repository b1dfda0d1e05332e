"""The room of CR-008: orders from sales platforms."""
