"""Contracts of Alibaba Cloud services."""
