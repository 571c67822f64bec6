"""The hub: live pages, alerts and trends of wearables, in one process that a browser looks at. Informs only. Not a medical device."""
