"""Wearables that are here: found, listened to, recorded and asked, each in a thread of its own."""
