"""Chips at register level: each answers bus transactions, and is made with what it measures as functions of time."""
