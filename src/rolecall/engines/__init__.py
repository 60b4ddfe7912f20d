"""Engines: `rolecall.domain.engine.Engine` on each kind of server."""
