"""Tencent Cloud `postgres`."""
