"""The room of CR-001: batches of image edits, and the edits themselves."""
