"""Database accounts and databases: their pages, and the changes that each dialect offers."""
