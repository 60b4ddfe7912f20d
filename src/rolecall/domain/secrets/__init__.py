"""Secrets: sealing, hashing and comparing what nobody may read."""
