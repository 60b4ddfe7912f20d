"""OpenStack Database v1.0."""
