"""What a run says about itself: log lines, with secrets masked wherever they might appear."""
