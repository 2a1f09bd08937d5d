"""Projects: charters, scores, the board, increments, reviews. See the roadmap in docs/architecture.md."""
