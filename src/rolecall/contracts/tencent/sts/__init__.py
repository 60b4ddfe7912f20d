"""Tencent Cloud `sts`."""
