"""What hubs and others say to one another over an MQTT broker: the line to it, topics, and what messages hold."""
