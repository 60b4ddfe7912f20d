"""The contracts of the OpenStack dialect: Identity v3 and v2.0, Database v1.0."""
