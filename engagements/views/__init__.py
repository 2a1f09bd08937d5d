"""Pages of requests."""
