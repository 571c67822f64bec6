"""Trends: minutes, hours and days of every number that a wearable says, and what is usual of its wearer. Informs only. Not a medical device."""
