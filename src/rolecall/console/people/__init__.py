"""Sub-users, groups, access keys, policies and roles."""
