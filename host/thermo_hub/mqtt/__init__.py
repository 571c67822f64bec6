"""The part that tells an MQTT broker what the wearables here send: a spool on the disk, a line for each, entities of Home Assistant."""
