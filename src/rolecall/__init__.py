"""Rolecall: one self-hosted account control plane that speaks the cloud vendors' account APIs, wire-exactly."""

__version__ = "0.1.0"
