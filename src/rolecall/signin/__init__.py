"""Sign-in: the OpenID provider of each user store, and the console of sub-users. `Request` in, `Reply` out, no I/O."""
