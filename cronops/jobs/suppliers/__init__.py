"""The room of CR-009 and CR-010: stock from suppliers."""
