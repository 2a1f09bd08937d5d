"""Pages of accounts: a module a noun."""
