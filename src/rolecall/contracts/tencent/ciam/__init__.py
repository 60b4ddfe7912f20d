"""Tencent Cloud `ciam`."""
