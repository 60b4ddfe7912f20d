"""Directories: user stores, the users and groups in them, their applications, their log and imports."""
