"""What runs in a worker, with the application loaded on a company's database."""
