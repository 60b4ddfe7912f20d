"""Alibaba Cloud `petadata`."""
