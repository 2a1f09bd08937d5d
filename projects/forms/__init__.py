"""What the pages of projects ask for."""
