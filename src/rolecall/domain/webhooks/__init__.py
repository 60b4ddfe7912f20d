"""Webhooks: audit records are posted to targets that an operator added, in the order of the chain."""
