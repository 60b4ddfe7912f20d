"""Backups: how they are written, read and restored."""
