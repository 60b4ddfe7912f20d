"""The rooms where accounts become real: one engine per kind of server, all behind `rolecall.domain.engine.Engine`."""
