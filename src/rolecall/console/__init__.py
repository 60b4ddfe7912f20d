"""The console: pages for operators and sub-users, over the same actions, policies and audit as the APIs."""
