"""Directories: user stores, and the users and groups in them, who sign in to an owner's applications."""
