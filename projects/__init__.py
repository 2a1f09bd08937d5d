"""Projects: charters, scores, the board, increments, reviews. To come."""
