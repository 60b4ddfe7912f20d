"""Tencent Cloud `cam`."""
