"""The TMP117, a contact thermometer: registers, settings, temperatures, correction."""
