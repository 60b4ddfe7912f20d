"""Signing in: each user store's OpenID provider, and the console of sub-users. Sans-I/O: `Request` in, `Reply` out."""
