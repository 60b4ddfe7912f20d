"""Secrets: sealing, hashing and comparing."""
