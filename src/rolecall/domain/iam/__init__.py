"""IAM: sub-users, groups, access keys, roles, policies and tags."""
