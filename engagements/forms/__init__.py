"""What the pages of requests ask for."""
