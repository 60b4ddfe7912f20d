"""People and machines that act for an owner: sub-users, their groups and keys, roles, and policies."""
