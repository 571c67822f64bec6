"""Alerts that live: rules, what they watch, what became of each alert, and how people are told. Informs only. Not a medical device."""
