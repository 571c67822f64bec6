"""Ways by which people and programs hear of alerts."""
