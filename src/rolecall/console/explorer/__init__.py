"""The API Explorer: a form for each action, its signed request, its answer, and the same call as code."""
