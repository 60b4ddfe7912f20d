"""Provisioning: servers that Rolecall starts, stops and deletes itself."""
