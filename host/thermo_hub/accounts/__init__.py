"""Accounts: who may come in by name and password, and in what role. There is no default password, and nobody else's is ever known."""
