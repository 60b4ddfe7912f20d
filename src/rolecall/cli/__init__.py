"""The command line: `rolecall`."""
