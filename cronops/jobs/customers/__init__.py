"""CR-003: remind customers, by mail, of licences that are about to end."""
