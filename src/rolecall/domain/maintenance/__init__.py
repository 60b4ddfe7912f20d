"""Maintenance: recovery, rotation of managed passwords, and resealing."""
