"""OpenStack Identity v2.0 and v3."""
