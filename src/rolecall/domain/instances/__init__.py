"""Instances: the registered servers, and the lanes that lead to them."""
