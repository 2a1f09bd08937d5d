"""How PostgreSQL answers the hottest reads, kept as text beside this file. See README.md."""
