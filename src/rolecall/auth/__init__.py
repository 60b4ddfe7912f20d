"""Authentication that asks other services."""
