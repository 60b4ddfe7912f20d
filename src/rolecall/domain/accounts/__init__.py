"""Accounts: what is created, changed and deleted on database servers."""
