"""Benchmarks: Rolecall beside the bare engine, in one run. See `python -m bench --help`."""
