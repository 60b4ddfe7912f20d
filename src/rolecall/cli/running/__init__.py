"""How `rolecall up` and `rolecall serve` run: servers, processes, listeners, and what `up` has ready."""
