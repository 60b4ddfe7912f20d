"""Tencent Cloud `tag`."""
