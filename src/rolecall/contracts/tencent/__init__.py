"""Contracts of the services that speak Tencent Cloud API 3.0."""
