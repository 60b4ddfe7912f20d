"""Dialects: a vendor's envelope, read and written side by side."""
